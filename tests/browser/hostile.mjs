// hostile.mjs: texts that act where they are not made harmless. Each that could run something calls xss().
// They are short, so that no picture cuts them; none holds a NUL, which ends a text in C (views get those too).

/** One picture of three people, joined as everyone knows it. */
const FAMILY = '\u{1f469}\u200d\u{1f469}\u200d\u{1f467}';

const TAGS = [
  '<script>xss()</script>', '<ScRiPt>xss()</sCrIpT>', '<script src=//xss.test/1.js></script>', '<script\n>xss()</script\n>', '<script/x>xss()</script>',
  '<script type=module>xss()</script>', '<img src=x onerror=xss()>', '<img/src="x"/onerror=xss()>', '<IMG SRC=x ONERROR="xss()">', '<img src onerror=xss()',
  '<image src=x onerror=xss()>', '<img srcset="x 1x" onerror=xss()>', '<body onload=xss()>', '<body onpageshow=xss()>', '<input autofocus onfocus=xss()>',
  '<select autofocus onfocus=xss()>', '<textarea autofocus onfocus=xss()>', '<video src=x onerror=xss()>', '<video><source onerror=xss()>', '<audio src=x onerror=xss()>',
  '<object data=javascript:xss()>', '<object onerror=xss() data=x>', '<embed src=javascript:xss()>', '<iframe src=javascript:xss()>', '<iframe onload=xss()></iframe>',
  '<iframe srcdoc="<script>top.xss()</script>">', '<iframe src=//xss.test/>', '<frameset onload=xss()>', '<details open ontoggle=xss()>x', '<marquee onstart=xss()>x</marquee>',
  '<dialog open onclose=xss()><form method=dialog>', '<form action=javascript:xss()><button>', '<button formaction=javascript:xss()>', '<isindex action=javascript:xss()>',
  '<keygen autofocus onfocus=xss()>', '<x onclick=xss()>click', '<x contenteditable onfocus=xss() autofocus>', '<p onpointerover=xss()>over', '<b style=animation-name:x onanimationstart=xss()>',
  '<meta http-equiv=refresh content=0;url=//xss.test>', '<meta http-equiv=refresh content="0;javascript:xss()">', '<base href=//xss.test/>', '<link rel=stylesheet href=//xss.test>',
  '<link rel=import href=data:,xss()>', '<link rel=prefetch href=//xss.test>', '<table background=//xss.test/t>', '<portal src=//xss.test>', '<a href=//xss.test ping=//xss.test>x</a>', '<template><script>xss()</script>',
  '<noscript><img src=x onerror=xss()>', '<xmp><script>xss()</script>', '<plaintext>', '<listing><img src=x onerror=xss()>'
];

const CLOSERS = [
  '</script><script>xss()</script>', '</style><img src=x onerror=xss()>', '</title><script>xss()</script>', '</textarea><img src=x onerror=xss()>', '</svg><img src=x onerror=xss()>',
  '</math><img src=x onerror=xss()>', '</td></tr></table><script>xss()</script>', '</div></div></div><script>xss()</script>', '</details><script>xss()</script>', '</body></html><script>xss()</script>',
  '--><script>xss()</script>', '--!><img src=x onerror=xss()>', ']]><script>xss()</script>', '<!--<script>xss()</script>', '<!--><img src=x onerror=xss()>', '<!---><img src=x onerror=xss()>', '<![CDATA[<script>xss()</script>]]>',
  '<?xml version="1.0"?><script>xss()</script>', '<!DOCTYPE x [<!ENTITY y "xss()">]>', '</noscript><img src=x onerror=xss()>', '</iframe><img src=x onerror=xss()>', '</template><img src=x onerror=xss()>', '</pre></code><script>xss()</script>'
];

const ATTRIBUTES = [
  '"', "'", '`', '">', "'>", '"><script>xss()</script>', "'><script>xss()</script>", '" onmouseover="xss()', "' onmouseover='xss()", '` onmouseover=xss()', '" autofocus onfocus="xss()" x="', ' onfocus=xss() autofocus ',
  '"/onload=xss()/x="', '" style="position:fixed;inset:0" onclick="xss()', '"><img src=x onerror=xss()>', '\\"><script>xss()</script>', '\\u0022><script>xss()</script>', '"\nonmouseover=xss()\n"', '"\tonmouseover=xss()\t"', '" onerror=xss() src=x "'
];

const ADDRESSES = [
  'javascript:xss()', 'JaVaScRiPt:xss()', 'java\tscript:xss()', 'java\nscript:xss()', ' javascript:xss()', '\u0001javascript:xss()', 'javascript://%0axss()', 'javascript&colon;xss()', 'vbscript:xss()',
  'data:text/html,<script>xss()</script>', 'data:text/html;base64,PHNjcmlwdD50b3AueHNzKCk8L3NjcmlwdD4=', 'data:image/svg+xml,<svg onload=xss()>', 'blob:xss()', 'file:///etc/passwd', '//xss.test/x.png', 'http://xss.test/x', '\\\\xss.test\\x',
  '[x](javascript:xss())', '![x](http://xss.test/x.png)', '![x](x"onerror="xss())', '<javascript:xss()>', '[x]: javascript:xss()', '<http://xss.test/>'
];

const STYLES = [
  '<style>*{display:none}</style>', '<style>@import "//xss.test";</style>', '@import url(//xss.test/x.css);', '<style onload=xss()></style>', 'expression(xss())', 'width:expression(xss())', '<b style="width:expression(xss())">',
  '<b style=background:url(//xss.test)>', 'url(javascript:xss())', '}*{background:url(//xss.test)}', ';background:url(//xss.test);', '-moz-binding:url(//xss.test#x)', 'behavior:url(//xss.test)', '\\3c script\\3e xss()', '/*</style>*/', 'position:fixed;inset:0;z-index:9'
];

const DRAWINGS = [
  '<svg onload=xss()>', '<svg/onload=xss()>', '<svg><script>xss()</script></svg>', '<svg><script href=data:,xss() /></svg>', '<svg><animate onbegin=xss()>', '<svg><set onbegin=xss() attributeName=x>', '<svg><a href=javascript:xss()><text y=9>x',
  '<svg><animate href=#x values=javascript:xss()>', '<svg><use href="data:image/svg+xml,#x">', '<svg><use href=//xss.test#x />', '<svg><foreignObject><img src=x onerror=xss()>', '<svg><image href=//xss.test/x.png>', '<svg><style>@import"//xss.test"</style>',
  '<svg><title><script>xss()</script>', '<svg><desc><img src=x onerror=xss()>', '<svg><![CDATA[><img src=x onerror=xss()>]]>', '<math><mtext><script>xss()</script>', '<math href=javascript:xss()>x</math>', '<math><maction xlink:href=javascript:xss()>x',
  '<svg></p><style><a id="</style><img src=x onerror=xss()>">', '<math><mtext><table><mglyph><style><img src=x onerror=xss()>', '<form><math><mtext></form><form><mglyph><style></math><img src onerror=xss()>'
];

const TEMPLATES = [
  '{{xss()}}', "{{constructor.constructor('xss()')()}}", '{{{xss()}}}', '${xss()}', '`${xss()}`', '#{xss()}', '<%= xss() %>', '<%- xss() %>', '{% raw %}{{ xss() }}{% endraw %}', '{{7*7}}', '[[xss()]]', '@(xss())', '<?php xss() ?>', '{@html xss()}', '<div v-html="xss()">', '<div ng-app>{{xss()}}</div>', '%s %n %x', '%(xss)s', '{0} {why} {name}',
  '$x$', '$$\\frac{1}{2}$$', '\\(x^2\\)', '\\[x\\]', '\\begin{align}x\\end{align}', '$\\href{javascript:xss()}{x}$', '$\\unicode{<img src=x onerror=xss()>}$', '\\require{html}\\class{x}{y}', '```html', '**bold** _em_ # head', '&lt;img src=x onerror=xss()&gt;', '<a name=x>|y|</a>'
];

const ENTITIES = [
  '&', '&amp;', '&amp;lt;b&amp;gt;', '&lt;script&gt;xss()&lt;/script&gt;', '&#60;script&#62;xss()&#60;/script&#62;', '&#x3c;script&#x3e;xss()&#x3c;/script&#x3e;', '&#0000060b&#0000062', '&#x00003Cb&#x00003E', '&LT;b&GT;', '&lt', '&ltscript&gt', '&quot; onclick=xss() &quot;', '&#34; onclick=xss() &#34;', '&NewLine;&Tab;&colon;',
  '&nbsp', '&copy=1', '&#0;', '&#xD800;', '&#x110000;', '&#128;', '&zwj;&rlm;', '%3Cscript%3Exss()%3C/script%3E', '%253Cb%253E', '\\u003cscript\\u003exss()\\u003c/script\\u003e', '\\x3cscript\\x3exss()\\x3c/script\\x3e', '\\74script\\76xss()', '+ADw-script+AD4-xss()+ADw-/script+AD4-', '\ufe64script\ufe65xss()\ufe64/script\ufe65', '\uff1cscript\uff1exss()\uff1c/script\uff1e', 'º<b>ª'
];

const HIDDEN = [
  '\u202edrowssap', 'a\u202e<b>\u202c', '\u2066isolate\u2069', '\u2067rtl isolate', '\u061carabic mark', 'a\u200bb', 'a\u200d\u200cb', '\u2060word joiner', '\ufeffbom', 'a\u00adb soft', '\u2028line', '\u2029paragraph', '\u180emongolian', '\ufff9anchor\ufffa', '\u{e0041}\u{e0042}tagged', 'مرحبا <b>', 'שלום "x"', '\u0001\u0002\u001b[31mred', '\u001b]8;;//xss.test\u0007x', '\u0007bell', '\u0008\u0008\u0008back', '\u007fdelete', '\u0085next', '\u009b31m', '\r\n\r\n<b>', '\t\ttabs', ' ', '   three', 'trailing   ', '\u00a0\u00a0', 'Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f', FAMILY, '\ufdfd', '\ue000private', '\uffff'
];

const NAMES = [
  '__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__', '__lookupSetter__', 'length', 'undefined', 'null', 'NaN', 'Infinity', 'true', '0', '-1', '[object Object]', 'window', 'document', 'location',
  '<a id=xss>', '<a id=document>', '<img name=cookie>', '<form id=body><input name=children>', '<form name=getElementById>', '<a id=defaultView>', '<a id=cutaway-said-1 href=//xss.test>', '<img id=jupyter-config-data>', '<iframe name=Jupyter>', '<object name=require>',
  '../../../etc/passwd', '/dev/zero', 'C:\\x', 'CON', 'x.ipynb', "'; DROP TABLE x; --", '$(xss)', '`xss`', '; xss', '| xss', '=cmd|xss', '@SUM(1)', '--help', '-o', '%model', '%%tokens', '# %%', '!xss'
];

export const HOSTILE = [...TAGS, ...CLOSERS, ...ATTRIBUTES, ...ADDRESSES, ...STYLES, ...DRAWINGS, ...TEMPLATES, ...ENTITIES, ...HIDDEN, ...NAMES];

/** Bytes that are no text, and what they are shown as. */
export const BROKEN = [
  [[0xff, 0xfe, 0x3c, 0x62, 0x3e], '\\xFF\\xFE<b>'], [[0xc0, 0xbc, 0x78], '\\xC0\\xBCx'], [[0xe0, 0x80, 0xbc], '\\xE0\\x80\\xBC'], [[0xf0, 0x80, 0x80, 0xbc], '\\xF0\\x80\\x80\\xBC'],
  [[0xed, 0xa0, 0x80], '\\xED\\xA0\\x80'], [[0xf4, 0x90, 0x80, 0x80], '\\xF4\\x90\\x80\\x80'], [[0xc2], '\\xC2'], [[0x80, 0x3c], '\\x80<']
];

/** In JSON these come as well. */
export const IN_JSON = ['\u0000<b>', 'a\u0000b', '\ud800', '\udc00x', '\ufffe'];

const MARKS = /[\u0080-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]|[\u{e0000}-\u{e007f}]/gu;
const code = mark => `[U+${mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`;

/** As people see it, by the rule of core/draw/figure.h, without blanks and their dots. */
export function seenAs(text) {
  return text === FAMILY ? text : bare(text
    .replace(/\r\n?|\n/g, '↵').replace(/\t/g, '⇥').replace(/\u007f/g, '\u2421')
    .replace(/[\u0000-\u001f]/g, control => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(MARKS, code));
}

/** What is compared: a page joins and breaks blanks and lines as it likes, and keeps values behind Arabic in their place. */
export const bare = text => text.replace(/[\s·\u200e]+/g, '').replace(/↵+/g, '↵');

/** Whether a text can be read: whole, or its beginning before an ellipsis. */
export function canRead(all, text) {
  const letters = [...text];
  for (let n = letters.length; n >= Math.min(12, letters.length); n--) {
    if (all.includes(letters.slice(0, n).join('') + (n < letters.length ? '…' : ''))) return true;
  }
  return false;
}

/** Watches a page: what ran, what it asked for, where it went. `allowed`: which addresses may be asked for. */
export async function watch(page, allowed) {
  const seen = [];
  await page.exposeFunction('xss', () => seen.push('xss() ran'));
  page.on('dialog', dialog => (seen.push(`a dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on('request', request => allowed(request.url()) || seen.push(`asked for ${request.url().slice(0, 80)}`));
  page.on('popup', () => seen.push('a window opened'));
  page.on('framenavigated', frame => allowed(frame.url()) || seen.push(`went to ${frame.url().slice(0, 80)}`));
  return seen;
}
