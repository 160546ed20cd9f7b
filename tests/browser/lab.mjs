// lab.mjs RUNNER FOLDER PROGRAM: the extension in JupyterLab and Notebook: colours, .cut files, the side
// panel by mouse and by keyboard, settings, images. LAB_URL and LAB_TOKEN say where; PROGRAM is `cutaway`.
// Screenshots go to FOLDER. Ends with "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [runner, folder, program] = process.argv.slice(2).map(path => resolve(path));
const { runNotebook } = await import(pathToFileURL(runner).href);
const { chromium } = createRequire(pathToFileURL(runner))('playwright-core');
const lab = { url: process.env.LAB_URL, token: process.env.LAB_TOKEN, timeout: 600 };
let passed = 0, failed = 0;

function want(held, text) {
  if (!held) throw new Error(text);
}

function same(seen, wanted, what) {
  want(JSON.stringify(seen) === JSON.stringify(wanted), `${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
}

async function put(path, body) {
  const answer = await fetch(`${lab.url}/api/contents/${path}`, {
    method: 'PUT', headers: { authorization: `token ${lab.token}`, 'content-type': 'application/json' }, body: JSON.stringify(body)
  });
  want(answer.ok, `${path} could not be put: ${answer.status}`);
}

const cell = (source, outputs = [], tags = []) => ({ cell_type: 'code', execution_count: null, metadata: { tags }, outputs, source });

/** A notebook of ours; cells are texts or whole cells. */
function putNotebook(path, cells) {
  const content = {
    cells: cells.map((one, i) => ({ id: `cell-${i}`, ...(typeof one === 'string' ? cell(one) : one) })),
    metadata: { kernelspec: { name: 'cutaway', display_name: 'Cutaway', language: 'cutaway' } }, nbformat: 4, nbformat_minor: 5
  };
  return put(path, { type: 'notebook', format: 'json', content });
}

async function test(name, cells, options) {
  const notebook = `${name.replaceAll(' ', '-')}.ipynb`;
  await putNotebook(notebook, cells);
  const report = await runNotebook({ ...lab, notebook, screenshot: `${folder}/lab-${name.replaceAll(' ', '-')}.png`, ...options });
  for (const text of report.problems) console.log(`  ${text}`);
  report.ok ? passed++ : failed++;
  console.log(`${report.ok ? 'ok' : 'FAILED'} ${name} (${report.seconds.total} s)`);
}

/** How the lines of an editor are coloured: [text, look] for each piece that has one. */
function looksOf(page, editor) {
  return page.locator(`${editor} >> .cm-content`).evaluate(content => {
    const names = ['keyword', 'builtin', 'attribute', 'property', 'operator', 'number', 'string', 'comment'];
    const probe = document.createElement('span');
    content.closest('.cm-editor').parentElement.append(probe);
    const colours = names.map(name => {
      probe.style.color = `var(--jp-mirror-editor-${name}-color)`;
      return [name, getComputedStyle(probe).color, name === 'keyword' || name === 'operator'];
    });
    probe.remove();
    return [...content.querySelectorAll('.cm-line span')].filter(span => !span.querySelector('span') && span.textContent).map(span => {
      const { color, fontWeight } = getComputedStyle(span);
      const bold = Number(fontWeight) >= 600;
      const look = span.closest('.cutaway-refused') ? 'refused' : colours.find(([, is, heavy]) => is === color && heavy === bold)?.[0] ?? color;
      return [span.textContent, look];
    });
  });
}


async function scrollTo(page, index) {
  await page.evaluate(async i => {
    await window.__nb.content.scrollToItem(i, 'center');
    await window.__nb.content.widgets[i].ready;
  }, index);
  /* Colours come once the kernel has said what it speaks. */
  await page.waitForFunction(i => window.__nb.content.widgets[i].node.querySelector('.cm-line span'), index);
  await page.evaluate(i => {
    document.querySelectorAll('[data-look]').forEach(node => delete node.dataset.look);
    window.__nb.content.widgets[i].node.dataset.look = 'here';
  }, index);
}

const TEXT = `# what is said is coloured
  %model load minilm --as=a  --seed 7
%seed seven 3 "two words"
%nothing --layer 3
%attention?`;
const WHOLE = `%%attention --layer 0,2-3 --head all --unit word --unit sentence --layer x --deep -- --layer
# not a comment
The cat >> Die Katze %seed --layer`;

/** What the parser of the kernel takes, splits and refuses, the editor shows so. */
async function cellsAreColoured({ page }) {
  await scrollTo(page, 0);
  same(await looksOf(page, '[data-look=here]'), [
    ['# what is said is coloured', 'comment'],
    ['%model', 'builtin'], ['load', 'property'], ['--as', 'attribute'], ['=', 'operator'], ['a', 'string'], ['--seed', 'attribute'], ['7', 'number'],
    ['%seed', 'builtin'], ['3', 'number'], ['"two words"', 'string'],
    ['%nothing', 'refused'], ['--layer', 'attribute'], ['3', 'number'],
    ['%attention', 'builtin'], ['?', 'operator']
  ], 'lines');
  await scrollTo(page, 1);
  same(await looksOf(page, '[data-look=here]'), [
    ['%%attention', 'keyword'], ['--layer', 'attribute'], ['0,2-3', 'number'], ['--head', 'attribute'], ['all', 'number'],
    ['--unit', 'attribute'], ['word', 'string'], ['--unit', 'attribute'], ['sentence', 'refused'],
    ['--layer', 'attribute'], ['x', 'refused'], ['--deep', 'refused'], ['--', 'operator'], ['>>', 'operator']
  ], 'a whole cell');
}

/** Every command's own example is in order. */
async function examplesAreInOrder({ page, report }) {
  for (const { index, source } of report.cells) {
    await scrollTo(page, index);
    const looks = await looksOf(page, '[data-look=here]');
    const bad = looks.filter(([, look]) => look === 'refused').map(([text]) => text);
    want(bad.length === 0, `${source}: underlined ${bad.join(' ')}`);
    want(looks.length > 0, `${source} has no colours`);
  }
}

async function filesHaveTheLanguage({ page }) {
  await put('cells.cut', { type: 'file', format: 'text', content: '%%tokens\n%seed is text here\n# %%\n%seed 7\n' });
  await page.evaluate(() => window.jupyterapp.commands.execute('docmanager:open', { path: 'cells.cut' }));
  await page.waitForSelector('.jp-FileEditor .cm-line span');
  same(await looksOf(page, '.jp-FileEditor'), [['%%tokens', 'keyword'], ['# %%', 'comment'], ['%seed', 'builtin'], ['7', 'number']], 'cells.cut');
  await page.evaluate(() => window.jupyterapp.commands.execute('filebrowser:refresh'));
  await page.waitForSelector('.jp-DirListing-item[title*="cells.cut"] [data-icon="cutaway:logo"]', { state: 'attached' });
}

const PANEL = '.cutaway-panel';

async function openPanel(page) {
  await page.evaluate(() => window.jupyterapp.commands.execute('cutaway:show-panel'));
  await page.waitForSelector(`${PANEL} [role=treeitem]`);
}

const focusedLabel = page => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
const sources = page => page.evaluate(() => window.__nb.content.widgets.map(one => one.model.sharedModel.getSource()));

async function panelShowsAndInserts({ page }) {
  await openPanel(page);
  const model = page.locator(`${PANEL} [role=tree] > [role=treeitem]`);
  const label = await model.getAttribute('aria-label');
  want(/^minilm, bert .*90\.9 MB mapped, 22\.7 M parameters/.test(label), `the model is called ${label}`);

  await model.focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector(`${PANEL} [role=treeitem][aria-label^="block 5"]`);
  for (const key of ['b', 'b', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  want(/^hook_resid_pre, /.test(await focusedLabel(page)), `the keys lead to ${await focusedLabel(page)}`);
  await page.keyboard.press('a');
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  same(await focusedLabel(page), label, 'Home');
  for (const key of ['b', 'b']) await page.keyboard.press(key);
  await page.screenshot({ path: `${folder}/lab-panel.png` });
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.closest('.jp-Cell .cm-content'));
  await page.keyboard.type('The cat');
  same((await sources(page))[3], '%%attention --layer 1\nThe cat', 'what Enter inserted');

  await page.locator(`${PANEL} .cutaway-insert`, { hasText: 'looked' }).click();
  await page.waitForFunction(() => window.__nb.content.widgets[4]?.node.contains(document.activeElement));
  await page.keyboard.type(' --layer 3');
  same((await sources(page)).slice(3), ['%%attention --layer 1\nThe cat', '%show looked --layer 3'], 'what a click inserted');
}

async function settingsReachTheKernel({ page }) {
  await openPanel(page);
  await page.selectOption(`${PANEL} select[name=language]`, 'zh');
  await page.waitForSelector(`${PANEL} h2:text("模型与位点")`);
  await page.evaluate(async () => {
    window.__nb.content.activeCellIndex = 1;
    await window.jupyterapp.commands.execute('notebook:run-cell');
  });
  const said = await page.evaluate(() => JSON.stringify(window.__nb.content.widgets[1].model.sharedModel.toJSON().outputs));
  want(/[\u4e00-\u9fff]/.test(said), `the kernel still speaks English: ${said.slice(0, 300)}`);
  await page.screenshot({ path: `${folder}/lab-panel-zh.png` });
  await page.selectOption(`${PANEL} select[name=language]`, 'application');
  await page.waitForSelector(`${PANEL} h2:text("Models and sites")`);
}

/** What the reader chose holds in a kernel that has forgotten it. */
async function settingsOutliveARestart({ page }) {
  await openPanel(page);
  await page.selectOption(`${PANEL} select[name=language]`, 'zh');
  await page.evaluate(() => window.__nb.sessionContext.restartKernel());
  await page.waitForSelector(`${PANEL} [role=treeitem]`, { state: 'detached' });
  await page.waitForFunction(() => window.__nb.sessionContext.session.kernel.status === 'idle');
  await page.evaluate(() => {
    window.__nb.content.activeCellIndex = 1;
    return window.jupyterapp.commands.execute('notebook:run-cell');
  });
  const said = await page.evaluate(() => JSON.stringify(window.__nb.content.widgets[1].model.sharedModel.toJSON().outputs));
  want(/[\u4e00-\u9fff]/.test(said), `after a restart the kernel speaks English: ${said.slice(0, 300)}`);
}

async function stopInterrupts({ page }) {
  await openPanel(page);
  await page.evaluate(() => {
    window.__nb.content.activeCellIndex = 1;
    void window.jupyterapp.commands.execute('notebook:run-cell');
  });
  await page.waitForSelector(`${PANEL} progress`);
  want(/^%_test loop/.test(await page.locator(`${PANEL} .cutaway-code`).innerText()), 'the panel says what is running');
  await page.locator(`${PANEL} .cutaway-stop`).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.__nb.content.widgets[1].model.sharedModel.toJSON().outputs.some(out => out.output_type === 'error'));
  await page.waitForSelector(`${PANEL} progress`, { state: 'detached' });
}

const runCell = (page, index, code) => page.evaluate(([i, text]) => {
  window.__nb.content.widgets[i].model.sharedModel.setSource(text);
  window.__nb.content.activeCellIndex = i;
  void window.jupyterapp.commands.execute('notebook:run-cell');
}, [index, code]);
const outputsOf = (page, index) => page.evaluate(i => JSON.stringify(window.__nb.content.widgets[i].model.sharedModel.toJSON().outputs), index);
const BOX = 'input.jp-Stdin-input';

/** A cell asks, a box appears under it, Enter answers, and the answer is kept. */
async function aCellAsks({ page }) {
  await runCell(page, 0, '%ask "Which word comes next?" --as guess');
  await page.waitForSelector(BOX);
  want((await page.locator('.jp-Stdin').innerText()).includes('Which word comes next?'), 'the box says what is asked');
  want(await page.locator(BOX).evaluate(box => box.type) === 'text', 'the letters are seen');
  await page.locator(BOX).fill('猫 mat');
  await page.screenshot({ path: `${folder}/lab-ask-box.png` });
  await page.locator(BOX).press('Enter');
  await page.waitForSelector(BOX, { state: 'detached' });
  await runCell(page, 1, '%show guess');
  await page.waitForFunction(() => window.__nb.content.widgets[1].model.sharedModel.toJSON().outputs.length > 0);
  want((await outputsOf(page, 1)).includes('猫 mat'), `%show guess shows ${await outputsOf(page, 1)}`);
}

/** The answer to --secret is dots, in the box and wherever the notebook keeps what was asked. */
async function aSecretIsDots({ page }) {
  await runCell(page, 0, '%ask "Your word?" --secret');
  await page.waitForSelector(BOX);
  same(await page.locator(BOX).getAttribute('type'), 'password', 'a box of dots');
  await page.locator(BOX).fill('sesame');
  await page.screenshot({ path: `${folder}/lab-ask-secret.png` });
  await page.locator(BOX).press('Enter');
  await page.waitForSelector(BOX, { state: 'detached' });
  await page.waitForFunction(() => JSON.stringify(window.__nb.content.widgets[0].model.sharedModel.toJSON().outputs).includes('display_data'));
  const said = await outputsOf(page, 0) + await page.locator('.jp-Notebook').innerText();
  want(!said.includes('sesame'), `the secret is shown: ${said}`);
}

/** Stop ends the wait; the next cell runs. */
async function stopEndsTheWait({ page }) {
  await runCell(page, 0, '%ask "Which word?"');
  await page.waitForSelector(BOX);
  await page.evaluate(() => window.jupyterapp.commands.execute('notebook:interrupt-kernel'));
  await page.waitForFunction(() => window.__nb.content.widgets[0].model.sharedModel.toJSON().outputs.some(out => out.ename === 'KeyboardInterrupt'));
  await runCell(page, 1, '%echo after');
  await page.waitForFunction(() => JSON.stringify(window.__nb.content.widgets[1].model.sharedModel.toJSON().outputs).includes('after'));
}

const LONG = Array(10).fill('the cat sat on the mat and the dog lay by the door').join(' ');

/** What `cutaway trace` writes of one head: float32, [tokens, tokens], read here from the file's bytes. */
function tracedHead(layer, head) {
  const file = `${folder}/lab-trace.safetensors`;
  execFileSync(program, ['trace', 'minilm', '--text', LONG, '-o', file]);
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { shape: [, heads, tokens], data_offsets: [from] } = JSON.parse(bytes.subarray(8, start))['t0.attentions'];
  return { tokens, at: (q, k) => bytes.readFloatLE(start + from + 4 * (((layer * heads + head) * tokens + q) * tokens + k)) };
}

/** Half a unit of the fourth digit, the last that an exact number is said with. */
const halfUnit = value => 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 3) * (1 + 1e-9);

/** A text of more numbers than a notebook saves whole: the head that is opened has the exact ones from the kernel. */
async function exactNumbersArrive({ page }) {
  const figure = page.locator('.jp-Notebook .cutaway-figure').first();
  const { tokens, at } = tracedHead(0, 0);
  await figure.locator('canvas:visible').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await figure.getByText(/^exact values/).first().waitFor();
  await page.keyboard.press('ArrowDown');
  for (let step = 0; step < 2 * tokens - 1; step++) {
    const [row, column] = [(step + 1) >> 1, step >> 1];
    const said = await figure.locator('.cutaway-said').innerText();
    const number = Number(/: ([0-9.e-]+)(?: ·|$)/.exec(said)?.[1]);
    const traced = at(row, column);
    want(Math.abs(number - traced) <= halfUnit(traced), `row ${row}, column ${column} is said as "${said}"; it is ${traced}`);
    await page.keyboard.press(step % 2 ? 'ArrowRight' : 'ArrowDown');
  }
}

/** The colours of the application are those of the panel; what is missing says what to do. */
async function panelWithoutAKernel({ page }) {
  await page.evaluate(() => window.jupyterapp.shell.activateById('cutaway-panel'));
  for (const text of ['No model is loaded', 'No result is kept yet']) await page.locator(PANEL, { hasText: text }).waitFor();
}

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = (text, metadata) => ({ output_type: 'display_data', data: { 'image/png': PIXEL, 'text/plain': text }, metadata });

async function imagesSayWhatTheyShow({ page }) {
  await page.waitForFunction(() => document.querySelectorAll('.jp-RenderedImage img').length === 2);
  const said = await page.locator('.jp-RenderedImage img').evaluateAll(all => all.map(one => one.alt));
  same(said, ['A "cat" <b>x</b>', ''], 'alternative texts');
}

/** Notebook 7: its own page, the same extension. Its own page errors are not ours. */
async function inNotebook7() {
  await putNotebook('seven.ipynb', ['%model load minilm', '%%attention --layer 1\nThe cat']);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(120_000);
    await page.addInitScript(() => document.addEventListener('readystatechange', () => {
      const config = document.getElementById('jupyter-config-data');
      if (document.readyState === 'interactive' && config) config.textContent = JSON.stringify({ ...JSON.parse(config.textContent), exposeAppInBrowser: true });
    }));
    await page.goto(`${lab.url}/notebooks/seven.ipynb?token=${lab.token}`);
    await page.waitForFunction(() => window.jupyterapp);
    await page.locator('.jp-Notebook .jp-Cell').nth(1).locator('.cm-line span').first().waitFor();
    same((await looksOf(page, '.jp-Notebook .jp-Cell >> nth=1'))[0], ['%%attention', 'keyword'], 'colours');
    await page.waitForFunction(() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle');
    await page.evaluate(() => window.jupyterapp.commands.execute('notebook:run-cell'));
    await page.evaluate(() => window.jupyterapp.commands.execute('application:toggle-sidebar-widget', { side: 'left', id: 'cutaway-panel' })
      .catch(() => window.jupyterapp.shell.expandLeft('cutaway-panel')));
    await page.waitForSelector(`${PANEL} [role=treeitem][aria-label^=minilm]`);
    await page.screenshot({ path: `${folder}/lab-notebook-7.png` });
    await page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown());
    passed++;
    console.log('ok in Notebook 7');
  } catch (error) {
    failed++;
    console.log(`  ${String(error.message).split('\n')[0]}\nFAILED in Notebook 7`);
  } finally {
    await browser.close();
  }
}

const reference = name => execFileSync(program, ['reference', name], { encoding: 'utf8' }).trimEnd();
const examples = reference('--names').split('\n').flatMap(name => reference(name).split('\n# %%\n'));

await test('colours', [TEXT, WHOLE], { run: false, check: cellsAreColoured });
await test('examples', examples, { run: false, check: examplesAreInOrder });
await test('files', ['%echo here'], { run: false, check: filesHaveTheLanguage });
await test('images', [cell('%echo here', [image('a point', { 'image/png': { alt: 'A "cat" <b>x</b>' } }), image('a point', {})])], { run: false, check: imagesSayWhatTheyShow });
await test('an empty panel', ['%echo here'], { check: panelWithoutAKernel });
await test('the panel', ['%model load minilm', '%%attention --as looked\nThe cat sat', '%echo last'], { check: panelShowsAndInserts });
await test('exact numbers', ['%model load minilm', `%%attention\n${LONG}`], { check: exactNumbersArrive });
await test('settings', ['%model load minilm', '%info'], { check: settingsReachTheKernel });
await test('a restart', ['%model load minilm', '%model list'], { check: settingsOutliveARestart });
await test('stop', ['%model load minilm', cell('', [], ['raises-exception'])], {
  check: async seen => {
    await seen.page.evaluate(() => window.__nb.content.widgets[1].model.sharedModel.setSource('%_test loop'));
    await stopInterrupts(seen);
  }
});
const silent = cell('', [], ['raises-exception']);
await test('a question', [silent, silent], { check: aCellAsks });
await test('a secret', [silent], { check: aSecretIsDots });
await test('stop while asked', [silent, silent], { check: stopEndsTheWait });
await inNotebook7();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
