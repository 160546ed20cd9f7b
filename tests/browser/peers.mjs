// peers.mjs BUILD: which of the hostile texts do something, as a token, as soon as a page of Cutaway, bertviz,
// Captum (its text view) or CircuitsVis is opened without a network. PEERS is a Python that has those three. Prints a table.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HOSTILE } from './hostile.mjs';

const build = resolve(process.argv[2]);
const { chromium } = await import(pathToFileURL(join(build, 'browser/node_modules/playwright-core/index.mjs')).href);
const folder = mkdtempSync(join(tmpdir(), 'cutaway-peers-'));

/** Every kind of picture that we have, with the texts in turn everywhere; were one to run, its whole page would count. */
function ours() {
  writeFileSync(join(folder, 'words'), Buffer.concat(HOSTILE.flatMap(text => [Buffer.from(text), Buffer.from([0])])));
  mkdirSync(join(folder, 'ours'));
  execFileSync(join(build, 'tests/browser/any_figures'), ['words', 'ours'], { cwd: folder });
  readdirSync(join(folder, 'ours')).filter(name => name.endsWith('.html')).forEach(name => renameSync(join(folder, 'ours', name), join(folder, `Cutaway-${name}`)));
}

/** What happens within a moment of opening it: code that ran, an address that was asked for. */
async function opened(page, file, seen) {
  seen.ran = seen.asked = false;
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load', timeout: 10000 }).catch(() => {});
  await page.waitForTimeout(150);
  return { ...seen };
}

async function count(browser, files) {
  const all = { ran: 0, asked: 0 };
  const seen = {};
  const page = await browser.newPage();
  await page.exposeFunction('xss', () => (seen.ran = true));
  page.on('dialog', dialog => dialog.dismiss());
  await page.route(/^https?:|^file:\/\/xss/, route => ((seen.asked ||= /^\w+:\/\/xss\.test/.test(route.request().url())), route.abort()));
  page.on('request', request => (seen.asked ||= /^\w+:\/\/xss\.test/.test(request.url())));
  for (const file of files) {
    const { ran, asked } = await opened(page, file, seen);
    all.ran += ran;
    all.asked += !ran && asked;
  }
  await page.close();
  return all;
}

writeFileSync(join(folder, 'words.json'), JSON.stringify(HOSTILE));
ours();
const script = join(dirname(fileURLToPath(import.meta.url)), 'peers_pages.py');
execFileSync(process.env.PEERS ?? 'python3', [script, join(folder, 'words.json'), folder], { stdio: ['ignore', 'ignore', 'inherit'] });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
console.log(`| of ${HOSTILE.length} texts | run code | else ask for another host |\n| --- | --- | --- |`);
await Promise.all(['Cutaway', 'bertviz', 'captum', 'circuitsvis'].map(async name => {
  const files = readdirSync(folder).filter(file => file.startsWith(`${name}-`) && file.endsWith('.html')).map(file => join(folder, file));
  const { ran, asked } = await count(browser, files);
  console.log(files.length ? `| ${name} | ${ran} | ${asked} |` : `| ${name} | not installed | |`);
}));
await browser.close();
rmSync(folder, { recursive: true });
