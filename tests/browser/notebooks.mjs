// notebooks.mjs RUNNER FOLDER PROGRAM: every notebook of notebooks/ in JupyterLab with the extension, as it is opened
// and not run: our views are chosen, in the light and the dark theme; keys alone lead in, through and out; nothing is
// asked of another host and no error is said. And the first of them in Notebook 7. LAB_URL and LAB_TOKEN say where.
// Ends with "N passed, N failed".
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [runner, folder] = process.argv.slice(2).map(path => resolve(path));
const { runNotebook } = await import(pathToFileURL(runner).href);
const { chromium } = createRequire(pathToFileURL(runner))('playwright-core');
const lab = { url: process.env.LAB_URL, token: process.env.LAB_TOKEN, timeout: 600 };
let passed = 0, failed = 0;

function want(held, text) {
  if (!held) throw new Error(text);
}

function count(name, problems, seconds) {
  for (const text of problems) console.log(`  ${text}`);
  problems.length ? failed++ : passed++;
  console.log(`${problems.length ? 'FAILED' : 'ok'} ${name} (${seconds.toFixed(1)} s)`);
}

/** Runs in the page, on the outputs of one cell: what each of our views is made of, and whether its canvases show something. */
async function views(area) {
  const tall = () => [...area.querySelectorAll('.cutaway-output')].map(node => node.clientHeight).join();
  for (let still = 0, frames = 0, was = ''; still < 5 && frames < 300; frames++) {
    await new Promise(drawn => requestAnimationFrame(drawn)); /* a view draws a frame or two after it has its width */
    still = tall() === was ? still + 1 : 0;
    was = tall();
  }
  return [...area.querySelectorAll('.cutaway-output')].map(node => {
    const figure = node.querySelector('.cutaway-figure');
    const blank = [...node.querySelectorAll('canvas')].filter(canvas => canvas.clientWidth > 0 && !new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size);
    return {
      kind: node.dataset.mimeType, drawn: figure !== null, dark: figure?.classList.contains('cutaway-dark'), blank: blank.length,
      height: figure?.clientHeight ?? 0, wide: figure ? figure.scrollWidth - figure.clientWidth : 0,
      made: figure ? [...figure.querySelectorAll('*')].map(one => one.tagName).join() : '', typeset: node.querySelectorAll('mjx-container, .MathJax').length
    };
  });
}

async function seen(page, cells) {
  const all = [];
  for (const { index } of cells) {
    await page.evaluate(i => window.__nb.content.scrollToItem(i, 'center'), index);
    const area = await page.evaluateHandle(i => window.__nb.content.widgets[i].outputArea.node, index);
    all.push(...(await area.evaluate(views)));
  }
  return all;
}

const setTheme = (page, theme) => page.evaluate(async name => {
  await window.jupyterapp.commands.execute('apputils:change-theme', { theme: name });
  while (document.body.dataset.jpThemeName !== name) await new Promise(done => setTimeout(done, 50));
}, theme);

/** From the cell's editor by Tab into the view and out at its other end; arrow keys say values on the way. */
async function byKeys(page, index) {
  await page.evaluate(async i => {
    const { content } = window.__nb;
    await content.scrollToItem(i, 'start');
    content.activeCellIndex = i;
    content.mode = 'command';
    content.widgets[i].outputArea.node.setAttribute('data-keys', 'here');
    content.widgets[i].node.focus();
  }, index);
  const where = () => page.evaluate(() => (document.activeElement.closest('[data-keys] .cutaway-figure') ? document.activeElement.tagName : ''));
  for (let stops = 0; !(await where()); stops++) {
    want(stops < 40, 'Tab does not lead into the view');
    await page.keyboard.press('Tab');
  }
  let said = '', stops = 0;
  for (; await where(); stops++) {
    want(stops < 60, 'Tab does not lead out of the view');
    if (!/^(INPUT|SELECT|BUTTON|SUMMARY)$/.test(await where())) {
      for (const key of ['ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
      said ||= await page.evaluate(() => document.activeElement.closest('.cutaway-figure').querySelector('.cutaway-said').textContent);
      want((await page.evaluate(() => window.__nb.content.activeCellIndex)) === index, 'the arrow keys of the view moved the notebook');
    }
    await page.keyboard.press('Tab');
  }
  want(said !== '', 'arrow keys say nothing');
}

async function holds({ page, report }) {
  const cells = report.cells.filter(cell => cell.outputs.some(output => output.mimes.some(mime => /vnd\.cutaway/.test(mime))));
  const drawn = cells.flatMap(cell => cell.drawn).filter(one => /vnd\.cutaway/.test(one.mime));
  const sent = cells.flatMap(cell => cell.outputs).filter(output => output.mimes.some(mime => /vnd\.cutaway/.test(mime)));
  want(drawn.length > 0 && drawn.every(one => !one.trusted), `${drawn.length} views are drawn`);
  await setTheme(page, 'JupyterLab Light');
  const light = await seen(page, cells);
  await setTheme(page, 'JupyterLab Dark');
  const dark = await seen(page, cells);
  want(light.length === drawn.length && dark.length === drawn.length, `${light.length} and ${dark.length} of ${drawn.length} views are in the page`);
  light.forEach((one, i) => {
    want(one.drawn && dark[i].drawn, `${one.kind} is not drawn`);
    want(!one.dark && dark[i].dark, `${one.kind} does not follow the theme`);
    want(one.height > 60 && one.blank === 0 && one.wide <= 1, `${one.kind}: ${one.height} pixels high, ${one.blank} blank, ${one.wide} too wide`);
    want(one.made === dark[i].made, `${one.kind} is built otherwise in the dark theme: ${one.made} / ${dark[i].made}`);
    want(Math.abs(one.height - dark[i].height) <= 2, `${one.kind} is ${one.height} pixels high in the light theme, ${dark[i].height} in the dark one`);
    want(one.typeset === 0, `${one.kind}: a text became mathematics`);
  });
  console.log(`  ${drawn.length} views of ${sent.length} figures: ${[...new Set(light.map(one => one.kind.split('.')[2]))].sort().join(', ')}`);
  const shown = cells.find(cell => cell.drawn.some(one => /vnd\.cutaway/.test(one.mime)));
  await byKeys(page, shown.index);
  const asked = await page.evaluate(() => performance.getEntriesByType('resource').map(entry => entry.name));
  const elsewhere = asked.filter(address => !address.startsWith(lab.url) && !/^(data|blob):/.test(address));
  want(elsewhere.length === 0, `asked for ${elsewhere.slice(0, 3)}`);
}

/** Notebook 7: its own page. Its own page errors are not ours. */
async function inNotebook7(name) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
    page.setDefaultTimeout(120_000);
    await page.goto(`${lab.url}/notebooks/${name}?token=${lab.token}`);
    const figure = page.locator('.cutaway-output .cutaway-figure').first();
    await page.locator('.jp-Notebook .jp-Cell').first().waitFor();
    for (let step = 0; step < 40 && !(await figure.count()); step++) {
      await page.mouse.move(600, 700);
      await page.mouse.wheel(0, 500);
      await page.waitForTimeout(250);
    }
    await figure.waitFor();
    await figure.scrollIntoViewIfNeeded();
    await figure.locator('[tabindex="0"]').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    want((await figure.locator('.cutaway-said').innerText()) !== '', 'arrow keys say nothing');
    await page.screenshot({ path: join(folder, 'notebooks-7.png') });
  } finally {
    await browser.close();
  }
}

const answer = await fetch(`${lab.url}/api/contents/`, { headers: { authorization: `token ${lab.token}` } });
const names = (await answer.json()).content.map(one => one.name).filter(name => name.endsWith('.ipynb')).sort();
want(names.length >= 7, `only the notebooks ${names}`);
for (const notebook of names) {
  const report = await runNotebook({ ...lab, notebook, run: false, screenshot: join(folder, `${notebook}.png`), check: holds });
  count(notebook, report.problems, report.seconds.total);
}
const began = performance.now();
count('in Notebook 7', await inNotebook7(names[0]).then(() => [], error => [error.message]), (performance.now() - began) / 1000);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
