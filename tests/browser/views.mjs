// views.mjs BUILD [PATTERN...]: the views of the extension in a bare page, each by its own file in views/
// (or those whose name has a PATTERN). Wants lab/lib built. Screenshots of what failed go to
// BUILD/browser. Ends with "N passed, N failed".
//
// A file of views/ exports `default async (bare, want, figures)`: `bare` of bare.mjs; `want(held, sentence)`
// throws where it does not hold; `figures(text)` runs the text of a .cut script and returns the figures that
// its last cell sent; `figures.pages(text)` returns the HTML of all that was sent, `figures.build` is BUILD. Errors on the console and requests to elsewhere fail the test.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openBare } from './bare.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');

function want(held, sentence) {
  if (!held) throw new Error(sentence);
}

/** The figures of the last cell that sent some: `cutaway run` writes them as CELL-NUMBER.json. */
function lastFigures(folder) {
  const names = readdirSync(folder).filter(name => /^\d+-\d+\.json$/.test(name));
  const [cell, number] = [0, 1].map(i => name => Number(name.slice(0, -5).split('-')[i]));
  const last = Math.max(...names.map(cell));
  return names
    .filter(name => cell(name) === last)
    .sort((a, b) => number(a) - number(b))
    .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

/** Runs a script in a folder of its own, with `files` beside it; what `read` makes of the folder with its outputs. */
function runScript(program, text, read, files = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'cutaway-views-'));
  try {
    for (const [name, bytes] of Object.entries({ ...files, 'script.cut': text })) writeFileSync(join(folder, name), bytes);
    execFileSync(program, ['run', 'script.cut', '--out', 'out'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    return read(join(folder, 'out'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const allPages = folder =>
  readdirSync(folder).filter(name => name.endsWith('.html')).map(name => readFileSync(join(folder, name), 'utf8'));

/** `figures` of the tests; the same script runs once. */
function runner(build) {
  const known = new Map();
  const program = join(build, 'cutaway');
  const figures = async text => {
    if (!known.has(text)) known.set(text, JSON.stringify(runScript(program, text, lastFigures)));
    return JSON.parse(known.get(text));
  };
  return Object.assign(figures, { build, pages: (text, files) => runScript(program, text, allPages, files) });
}

/** Throws the first that went wrong; a picture of it is kept. */
async function runTest(name, playwright, figures, kept) {
  const { default: test } = await import(pathToFileURL(join(here, 'views', name)).href);
  const bare = await openBare(root, playwright);
  try {
    await test(bare, want, figures);
    want(bare.problems.length === 0, `the page said: ${bare.problems.join('; ')}`);
  } catch (error) {
    await bare.page.screenshot({ path: kept, fullPage: true }).catch(() => {});
    throw error;
  } finally {
    await bare.close();
  }
}

const [build, ...patterns] = process.argv.slice(2);
want(existsSync(join(root, 'lab/lib/frame.js')), 'lab/lib is missing: npx tsc -p lab');
const kept = resolve(build, 'browser');
const playwright = pathToFileURL(join(kept, 'node_modules/playwright-core/index.mjs')).href;
const figures = runner(resolve(build));
const tests = readdirSync(join(here, 'views')).filter(name => name.endsWith('.mjs') && (patterns.length === 0 || patterns.some(pattern => name.includes(pattern))));
let passed = 0, failed = 0;
for (const name of tests) {
  const began = performance.now();
  let why = '';
  try {
    await runTest(name, playwright, figures, join(kept, `failed-${name.slice(0, -4)}.png`));
    passed++;
  } catch (error) {
    failed++;
    why = `\n  ${String(error.stack).split('\n').slice(0, 4).join('\n  ')}`;
  }
  console.log(`${why ? 'FAILED' : 'ok'} ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)${why}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
