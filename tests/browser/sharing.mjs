// sharing.mjs RUNNER FOLDER PROGRAM: a notebook with every kind of picture as those see it who have no
// extension: JupyterLab, trusted and not; nbconvert's page, without a network, and its print; sites that strip
// scripts, styles, ids and data (as GitHub does) or show HTML as it is (as VS Code does). LAB_URL and LAB_TOKEN
// say where a JupyterLab without the extension is. Ends with "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SCRIPTS } from './samples.mjs';

const [runner, folder, program] = process.argv.slice(2).map(path => resolve(path));
const { runNotebook } = await import(pathToFileURL(runner).href);
const { chromium } = createRequire(pathToFileURL(runner))('playwright-core');
const lab = { url: process.env.LAB_URL, token: process.env.LAB_TOKEN, timeout: 600 };
const scratch = mkdtempSync(join(tmpdir(), 'cutaway-sharing-'));
let passed = 0, failed = 0;

function want(held, text) {
  if (!held) throw new Error(text);
}

async function test(name, act) {
  const began = performance.now();
  let why = '';
  try {
    await act();
    passed++;
  } catch (error) {
    failed++;
    why = `\n  ${error.message}`;
  }
  console.log(`${why ? 'FAILED' : 'ok'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${why}`);
}

/** A notebook file of these cells. */
function notebook(cells) {
  return {
    cells: cells.map((source, i) => ({ cell_type: 'code', id: `cell-${i}`, execution_count: null, metadata: {}, outputs: [], source })),
    metadata: { kernelspec: { name: 'cutaway', display_name: 'Cutaway', language: 'cutaway' } }, nbformat: 4, nbformat_minor: 5
  };
}

/** With the outputs that the program gives it. */
function ran(cells) {
  const [before, after] = ['before.ipynb', 'after.ipynb'].map(name => join(scratch, name));
  writeFileSync(before, JSON.stringify(notebook(cells)));
  execFileSync(program, ['run', before, '-o', after], { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] });
  return JSON.parse(readFileSync(after, 'utf8'));
}

/** Runs in the page, on one output or a whole page: each of our pictures, what lies over it, what stands below it. */
async function inspect(root) {
  await Promise.all([...root.querySelectorAll('img')].map(image => image.decode()));
  const of = [...root.querySelectorAll('.mathjax_ignore')].filter(node => node.querySelector('img'));
  const found = [];
  for (const node of of) {
    const image = node.querySelector('img');
    image.scrollIntoView({ block: 'center' });
    await new Promise(drawn => requestAnimationFrame(drawn));
    const spots = [...node.querySelectorAll('i[title]')].filter(spot => spot.offsetWidth > 0);
    const seen = spots.filter(spot => {
      const { left, top, width, height } = spot.getBoundingClientRect();
      const at = [left + width / 2, top + height / 2];
      return at[1] > 0 && at[1] < innerHeight && at[0] > 0 && at[0] < innerWidth;
    });
    const hit = seen.filter(spot => {
      const { left, top, width, height } = spot.getBoundingClientRect();
      return document.elementFromPoint(left + width / 2, top + height / 2)?.title;
    });
    const details = node.querySelector('details');
    details.querySelector('summary').click();
    await new Promise(drawn => requestAnimationFrame(drawn));
    const table = details.querySelector('table').getBoundingClientRect();
    found.push({
      width: image.naturalWidth, shown: image.clientWidth, height: image.clientHeight, alt: image.alt, titles: node.querySelectorAll('i[title]').length,
      seen: seen.length, hit: hit.length, table: table.height, rows: details.querySelectorAll('tr').length, text: node.innerText,
      typeset: node.querySelectorAll('mjx-container, .MathJax').length, garbage: node.querySelectorAll('script, svg, canvas, style').length
    });
  }
  return found;
}

const texts = output => ({ finding: '', ...Object.entries(output.data).find(([mime]) => mime.startsWith('application/vnd.cutaway.'))[1] });

/** What was found in the place of each picture: it, its values and its words. `hover`: whether styles survive, so that values lie over it. */
function areThere(found, outputs, hover) {
  want(found.length === outputs.length, `${found.length} of ${outputs.length} pictures are there`);
  found.forEach((one, i) => {
    const { finding, caption, schema } = texts(outputs[i]);
    want(one.width >= 200 && one.shown >= 200 && one.height >= 50, `${schema}: a picture of ${one.shown} × ${one.height} pixels`);
    want(one.alt.length > 20, `${schema}: no alternative text`);
    const tells = schema !== 'cutaway.table.v1'; /* which has its values written in it, and below */
    want(!tells || one.titles > 0, `${schema}: no values over the picture`);
    want(!tells || !hover || (one.seen > 0 && one.hit > 0.9 * one.seen), `${schema}: the mouse meets ${one.hit} of ${one.seen} values`);
    want(one.rows > 1 && one.table > 20, `${schema}: no table opens`);
    const said = one.text.replace(/[\u200e\u200f\u2066-\u2069]/g, '').replace(/\s+/g, ' '); /* without the marks that keep values behind Arabic in their place */
    for (const text of [finding, caption]) want(said.includes(text.trim().replace(/\s+/g, ' ')), `${schema}: '${text}' is not there`);
    want(one.typeset === 0 && one.garbage === 0, `${schema}: ${one.typeset} texts became mathematics, ${one.garbage} elements are not ours`);
  });
}

async function inLab(name, content, trusted) {
  content.cells.forEach(cell => (cell.metadata = trusted ? { trusted: true } : {}));
  const answer = await fetch(`${lab.url}/api/contents/${name}`, {
    method: 'PUT', headers: { authorization: `token ${lab.token}`, 'content-type': 'application/json' }, body: JSON.stringify({ type: 'notebook', format: 'json', content })
  });
  want(answer.ok, `${name} could not be put: ${answer.status}`);
  const report = await runNotebook({ ...lab, notebook: name, run: false, screenshot: join(folder, `${name}.png`), check: async ({ page, report: { cells } }) => {
    const drawn = cells.flatMap(cell => cell.drawn ?? []);
    want(drawn.every(one => one.trusted === trusted), `trusted: ${drawn.map(one => one.trusted)}`);
    want(!drawn.some(one => /vnd\.cutaway/.test(one.mime)), 'the extension is there');
    const found = [];
    for (const { index } of cells) {
      await page.evaluate(i => window.__nb.content.scrollToItem(i, 'center'), index);
      const area = await page.evaluateHandle(i => window.__nb.content.widgets[i].outputArea.node, index);
      found.push(...(await area.evaluate(inspect)));
    }
    areThere(found, outputs, true);
    const asked = await page.evaluate(() => performance.getEntriesByType('resource').map(entry => entry.name));
    const elsewhere = asked.filter(address => !address.startsWith(lab.url) && !/^(data|blob):/.test(address));
    want(elsewhere.length === 0, `asked for ${elsewhere.slice(0, 3)}`);
  } });
  want(report.ok, report.problems.join('; '));
}

/** A page without a network; what it asked for all the same. */
async function offline(act) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(120_000);
    const asked = [];
    await page.route(/^https?:/, route => (asked.push(route.request().url()), route.abort()));
    return await act(page, asked);
  } finally {
    await browser.close();
  }
}

function nbconvert(name, content) {
  writeFileSync(join(scratch, `${name}.ipynb`), JSON.stringify(content));
  execFileSync(join(dirname(program), 'venv/bin/python'), ['-m', 'nbconvert', '--to', 'html', `${name}.ipynb`], { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] });
  return pathToFileURL(join(scratch, `${name}.html`)).href;
}

async function nbconvertsPage() {
  const empty = nbconvert('empty', notebook(['1']));
  const full = nbconvert('full', all);
  await offline(async (page, asked) => {
    await page.goto(empty);
    const before = [...asked].sort().join();
    asked.length = 0;
    await page.goto(full);
    areThere(await page.evaluate(inspect, await page.evaluateHandle(() => document.body)), outputs, true);
    want([...asked].sort().join() === before, `asked for more than an empty notebook: ${asked}`);
    await page.screenshot({ path: join(folder, 'sharing-nbconvert.png'), fullPage: true });
    const printed = await page.pdf({ path: join(folder, 'sharing-nbconvert.pdf') });
    const images = printed.toString('latin1').match(/\/Subtype\s*\/Image/g) ?? [];
    want(images.length >= outputs.length, `${images.length} images are printed`);
  });
}

/** Runs in the page: what a site that lets no script, style, id or data through makes of the HTML. */
function strip(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  parsed.querySelectorAll('script, style').forEach(node => node.remove());
  for (const node of parsed.querySelectorAll('*')) {
    for (const { name } of [...node.attributes]) if (/^(style|id|data-.*|on.*)$/.test(name)) node.removeAttribute(name);
  }
  document.body.innerHTML = parsed.body.innerHTML;
  return [...document.querySelectorAll('.mathjax_ignore div')].map(node => node.innerText.trim()).join('');
}

/** The first type that a viewer knows, in its order. */
const chosen = (output, order) => order.find(mime => output.data[mime]);
const VSCODE = ['application/json', 'application/javascript', 'text/html', 'image/svg+xml', 'text/latex', 'text/markdown', 'image/png', 'image/jpeg', 'text/plain'];
const GITHUB = ['text/html', 'image/svg+xml', 'image/png', 'text/plain'];

async function elsewhere(order, stripped) {
  await offline(async (page, asked) => {
    want(outputs.every(output => chosen(output, order) === 'text/html'), 'another type than HTML is shown');
    const html = outputs.map(output => [output.data['text/html']].flat().join('')).join('\n');
    await page.setContent('<!doctype html><title>x</title><body></body>');
    if (stripped) want((await page.evaluate(strip, html)) === '', 'text where the values were to hover over');
    else await page.setContent(html);
    areThere(await page.evaluate(inspect, await page.evaluateHandle(() => document.body)), outputs, !stripped);
    want(asked.length === 0, `asked for ${asked}`);
    await page.screenshot({ path: join(folder, `sharing-${stripped ? 'stripped' : 'whole'}.png`), fullPage: true });
  });
}

/** A model is loaded once. */
const cells = Object.values(SCRIPTS).flatMap(script => script.split('\n# %%\n'));
const all = ran(cells.map((cell, i) => (cells.indexOf(cell) < i ? cell.replace('%model load', '%model use') : cell)));
const outputs = all.cells.flatMap(cell => cell.outputs).filter(output => output.data?.['image/png']);
try {
  await test('the bundles have no type that beats ours or needs trust', () =>
    want(outputs.length >= Object.keys(SCRIPTS).length && outputs.every(({ data }) => !data['application/json'] && !data['application/javascript'] && !data['image/svg+xml'] && data['text/plain']), 'they have'));
  await test('JupyterLab, untrusted', () => inLab('untrusted.ipynb', structuredClone(all), false));
  await test('JupyterLab, trusted', () => inLab('trusted.ipynb', structuredClone(all), true));
  await test('nbconvert, on paper too', nbconvertsPage);
  await test('as VS Code chooses', () => elsewhere(VSCODE, false));
  await test('as GitHub strips', () => elsewhere(GITHUB, true));
} finally {
  rmSync(scratch, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
