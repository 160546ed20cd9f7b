// first-look.mjs RUNNER FOLDER: the first notebook as a reader sees it in JupyterLab. LAB_URL and
// LAB_TOKEN say where. Screenshots and reports go to FOLDER. Ends with "N passed, N failed".
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [runner, folder] = process.argv.slice(2).map(path => resolve(path));
const { runNotebook } = await import(pathToFileURL(runner).href);
const lab = { url: process.env.LAB_URL, token: process.env.LAB_TOKEN, timeout: 600, notebook: '01-first-look.ipynb' };
let passed = 0, failed = 0;

async function test(name, options) {
  const file = `${folder}/${name.replaceAll(' ', '-')}`;
  const report = await runNotebook({ ...lab, ...options, screenshot: `${file}.png` });
  writeFileSync(`${file}.json`, JSON.stringify(report, null, 1));
  for (const text of report.problems) console.log(`  ${text}`);
  report.ok ? passed++ : failed++;
  console.log(`${report.ok ? 'ok' : 'FAILED'} ${name} (${report.seconds.total} s)`);
}

function want(held, text) {
  if (!held) throw new Error(text);
}

/** Every picture that the kernel sent is on the page, drawn from our HTML, with its alternative text. */
async function picturesAreShown({ page, report }) {
  const cells = report.cells.filter(cell => cell.outputs.some(out => out.mimes.includes('image/png')));
  want(cells.length >= 5, `only ${cells.length} cells have a picture`);
  for (const cell of cells) {
    const seen = await page.evaluate(async index => {
      await window.__nb.content.scrollToItem(index, 'center');
      const area = window.__nb.content.widgets[index].outputArea.node;
      await Promise.all([...area.querySelectorAll('img')].map(image => image.decode()));
      return {
        images: [...area.querySelectorAll('img')].map(image => ({ width: image.naturalWidth, shown: image.clientWidth, alt: image.alt })),
        hover: area.querySelectorAll('i[title], span[title]').length,
        tables: area.querySelectorAll('table').length,
        typeset: area.querySelectorAll('mjx-container, .MathJax').length
      };
    }, cell.index);
    const where = `cell ${cell.index + 1}`;
    want(seen.images.length > 0, `${where} shows no image`);
    for (const image of seen.images) {
      want(image.width >= 200 && image.shown >= 100, `${where}: an image is ${image.width} pixels, shown at ${image.shown}`);
      want(image.alt.length > 20, `${where}: an image says nothing to those who cannot see it: "${image.alt}"`);
    }
    want(seen.hover > 0, `${where} has no values to hover over`);
    want(seen.tables > 0, `${where} has no table`);
    want(seen.typeset === 0, `${where}: tokens were typeset as mathematics`);
  }
}

await test('run in JupyterLab', { check: picturesAreShown });
await test('opened and not run', { run: false, check: picturesAreShown });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
