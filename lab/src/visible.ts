/** Foreign text as it may be shown, as the kernel's pictures write it (core/draw/figure.c). */

const EMOJI = '[\\u2600-\\u27bf\\u{1f000}-\\u{1faff}]';

/** Directions, joiners (but between emoji that make one) and other marks that show nothing themselves but change what stands beside them. */
const HIDDEN = new RegExp(
  `[\\u0080-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200c\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\u{e0000}-\\u{e007f}]` +
    `|(?<!${EMOJI}|\\ufe0f)\\u200d|\\u200d(?!${EMOJI})`,
  'gu'
);

function code(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** Blanks at the ends as a middle dot, line ends and tabs as arrows, other controls as pictures, hidden marks by their number; never empty. */
export function visible(text: string): string {
  const shown = text
    .replace(/^ +| +$/g, blanks => '·'.repeat(blanks.length))
    .replace(/\r?\n/g, '↵')
    .replace(/\t/g, '⇥')
    .replace(/[\u0000-\u001f]/g, control => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421')
    .replace(HIDDEN, code);
  return shown || '∅';
}
