// hostile_views.mjs: every view with hostile texts in place of each text of its figure, and with odd values in place
// of each value: nothing runs, nothing but our elements is there, every text can be read; a figure that is none of
// its kind is refused, by what reads it or not at all.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bare as plain, canRead, HOSTILE, IN_JSON, seenAs, watch } from '../hostile.mjs';

/** What the views make of elements and attributes; runs in the page. */
function inspect() {
  const ELEMENTS = ' DIV P SPAN CANVAS LABEL INPUT SELECT OPTION OPTGROUP BUTTON OUTPUT TABLE CAPTION COLGROUP COL THEAD TBODY TR TH TD DETAILS SUMMARY UL OL LI DL DT DD I B H3 H4 SECTION FIELDSET LEGEND ';
  const foreign = [];
  for (const node of document.getElementById('root').querySelectorAll('*')) {
    if (!ELEMENTS.includes(` ${node.tagName} `)) foreign.push(`<${node.tagName}>`);
    for (const { name, value } of node.attributes) {
      if (/^on|^(href|src|srcdoc|srcset|action|formaction|name|background|ping|is|slot|data)$|:/.test(name)) foreign.push(`${node.tagName} ${name}=${value}`);
      if (name === 'id' && !/^cutaway-[a-z]+-\d+$/.test(value)) foreign.push(`id=${value}`);
      if (name === 'class' && !/^((cutaway-[a-z-]+|mathjax_ignore|tex2jax_ignore) ?)+$/.test(value)) foreign.push(`class=${value}`);
      if (name === 'style' && /url|expression|import|behavior|binding/.test(value)) foreign.push(`style=${value}`);
    }
  }
  const outside = [...document.querySelectorAll('script, iframe, style, link, base, object, embed, meta, svg, form')].map(node => node.tagName).join();
  if (!/^(META|LINK|,)+,SCRIPT$/.test(outside)) foreign.push(outside);
  return foreign;
}

const texts = page => page.evaluate(() => {
  const all = [document.getElementById('root').textContent];
  document.querySelectorAll('#root [aria-label], #root [title]').forEach(node => all.push(node.title, node.ariaLabel ?? ''));
  return all.join('\n');
});

/** All that is said on the way along both directions. */
async function walk(bare) {
  const said = [];
  for (const stop of await bare.page.locator('#root [tabindex="0"]').all()) {
    if (!(await stop.isVisible())) continue;
    await stop.focus();
    for (const key of ['ArrowDown', 'ArrowRight']) {
      for (let step = 0; step < 44; step++) {
        await bare.page.keyboard.press(key);
        said.push(await bare.page.evaluate(() => document.querySelector('.cutaway-said').textContent));
      }
      await bare.page.keyboard.press('Home');
    }
  }
  return said.join('\n');
}

/** True: it is drawn; false: it was refused. As JSON, so that __proto__ is a member like any other. */
const show = (page, json, how = {}) => page.evaluate(
  async ([text, settings]) => {
    try {
      await window.show(JSON.parse(text), settings);
      return true;
    } catch {
      return false;
    }
  },
  [json, how]
);

/** Every member's place, list items of one list together: [text of it, (copy, value) => void]. */
function places(value, path = [], found = new Map()) {
  if (typeof value === 'object' && value !== null) {
    Object.entries(value).forEach(([key, inner]) => places(inner, [...path, key], found));
  }
  const name = path.map(key => (/^\d+$/.test(key) ? '0' : key)).join('.');
  if (path.length && !found.has(name)) found.set(name, path);
  return found;
}

function withValue(figure, path, value) {
  const copy = structuredClone(figure);
  const owner = path.slice(0, -1).reduce((at, key) => at[key], copy);
  owner[path.at(-1)] = value;
  return JSON.stringify(copy);
}

const ODD = [null, -1, 1e300, [], {}, [[]], 'x'];

async function oddValues(bare, want, seen, kind, figure) {
  let turn = 0;
  for (const [name, path] of places(figure)) {
    for (const value of [HOSTILE[(turn += 7) % HOSTILE.length], IN_JSON[turn % IN_JSON.length], ODD[turn % ODD.length]]) {
      await show(bare.page, withValue(figure, path, value));
      want(bare.problems.length === 0 && seen.length === 0, `${kind}: ${name} = ${JSON.stringify(value)}: ${[...bare.problems, ...seen].join('; ')}`);
    }
  }
  const members = ['__proto__', 'constructor', 'toString', 'then', 'length', 'hasOwnProperty'].map(name => `"${name}":{"series":"<b>","label":["<i>"]},`).join('');
  want(await show(bare.page, JSON.stringify(figure).replace('{', `{${members}`)), `${kind}: members that have names of a prototype's stop it`);
}

export default async function hostileViews(bare, want, figures) {
  const folder = mkdtempSync(join(tmpdir(), 'cutaway-hostile-'));
  const home = new URL(bare.page.url()).origin;
  const seen = await watch(bare.page, address => address.startsWith(home) || /^(data:image\/png;|blob:|about:)/.test(address));
  try {
    writeFileSync(join(folder, 'words'), Buffer.concat(HOSTILE.flatMap(text => [Buffer.from(text), Buffer.from([0])])));
    execFileSync(join(figures.build, 'tests/browser/any_figures'), ['words', '.'], { cwd: folder });
    const kinds = await bare.page.evaluate('window.kinds');
    const files = readdirSync(folder).filter(name => name.endsWith('.json'));
    let read = '', turn = 0;
    for (const kind of kinds) {
      const own = files.filter(name => name.startsWith(`${kind}-`));
      want(own.length > 0, `any_figures makes no figure of ${kind}`);
      for (const file of own) {
        const json = readFileSync(join(folder, file), 'utf8');
        want(await show(bare.page, json, { dark: turn % 2 === 1 }), `${file} is refused`);
        const foreign = await bare.page.evaluate(inspect);
        want(foreign.length === 0, `${file} shows ${foreign.slice(0, 5).join(', ')}`);
        if (++turn % 4 === 0) read += await walk(bare);
        read += await texts(bare.page);
        want(bare.problems.length === 0 && seen.length === 0, `${file}: ${[...bare.problems, ...seen].join('; ')}`);
      }
      await oddValues(bare, want, seen, kind, JSON.parse(readFileSync(join(folder, own[0]), 'utf8')));
    }
    const all = plain(read);
    const lost = HOSTILE.map(seenAs).filter(text => !canRead(all, text));
    want(lost.length === 0, `${lost.length} are said by no view: ${lost.slice(0, 40).join(' ; ')}`);
    console.log(`${HOSTILE.length} hostile texts in ${kinds.length} views: 0 ran`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
