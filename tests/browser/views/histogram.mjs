// Histograms: bins, buckets and shares are said as they were counted; heights, zoom, one row enlarged, the other model's counts.
import { columnsOf, f32, figure, floats, plot, saidAt } from '../plots.mjs';

const BLUE = '#0068a8';
const EDGES = [0, 1, 2, 3, 4];
const made = (labels, counts, more = {}) =>
  figure('histogram', {
    measure: 'weight', counted: 'count', log: false, labels, edges: f32(EDGES, [5]), counts: f32(counts.flat(), [labels.length, 4]),
    zeros: f32(labels.map((_label, i) => 100 * i), [labels.length]), ...more
  });

async function saysCounts(bare, want) {
  await bare.show(made(['a', 'b'], [[10, 1000, 200, 40], [1, 2, 3, 4]], { bad: f32([0, 5], [2]) }));
  const at = await plot(bare);
  await at.press('ArrowDown', 'Home');
  want((await bare.said()) === 'a: exactly zero: 0 (0 % of 1,250)', `zeros: ${await bare.said()}`);
  await at.press('ArrowRight', 'ArrowRight');
  want((await bare.said()) === 'a: 1 to 2: 1,000, 80 % of 1,250', `a bin: ${await bare.said()}`);
  await at.press('ArrowDown', 'End');
  want((await bare.said()) === 'b: NaN or infinite: 5 (4.35 % of 115)', `what is no number: ${await bare.said()}`);
  await at.press('Enter');
  want((await bare.said()) === 'b: 115 values, exactly zero: 100 (87 % of 115), NaN or infinite: 5, half of the others are below 2.5', `a row: ${await bare.said()}`);
  want((await bare.page.getByLabel('row', { exact: true }).inputValue()) === '1', 'the menu follows');
  await bare.page.getByLabel('row', { exact: true }).selectOption({ label: 'a' });
  want((await bare.said()).startsWith('a: 1,250 values') && (await bare.said()).endsWith('none is NaN or infinite'), await bare.said());
  await at.press('Escape');
  want((await bare.page.getByLabel('row', { exact: true }).inputValue()) === '-1', 'Escape goes back to all');
}

/** 200 is half of 400; on a logarithmic scale from 0.7 they are log(200 / 0.7) to log(400 / 0.7). */
async function heights(bare, want) {
  await bare.show(made([''], [[400, 0, 200, 100]], { zeros: undefined }));
  const at = await plot(bare);
  const height = async () => {
    const columns = (await columnsOf(bare, BLUE)).filter(column => column.count > 0);
    const [low, high] = [columns[0].x, columns[columns.length - 1].x];
    const bin = i => columns.find(column => column.x >= low + ((i + 0.5) / 4) * (high - low)).count;
    return [bin(0), bin(2), bin(3)];
  };
  let [a, c, d] = await height();
  want(Math.abs(c / a - Math.log(200 / 0.7) / Math.log(400 / 0.7)) < 0.01, `logarithmic heights ${[a, c, d]}`);
  await bare.page.getByRole('button', { name: 'logarithmic counts' }).click();
  [a, c, d] = await height();
  want(Math.abs(c / a - 0.5) < 0.01 && Math.abs(d / a - 0.25) < 0.01, `linear heights ${[a, c, d]}`);
  await at.press('+');
  want((await bare.said()) === 'shown: 1 to 3', `the middle half: ${await bare.said()}`);
  await at.press('0');
  want((await bare.said()) === 'shown: 0 to 4', `all: ${await bare.said()}`);
  const edge = await edges(at, bare);
  await at.drag([[edge[1], 60], [edge[3], 70]]);
  const [low, high] = (await bare.said()).replace('shown: ', '').split(' to ').map(Number);
  want(Math.abs(low - 1) < 0.02 && Math.abs(high - 3) < 0.02, `dragged from 1 to 3: ${await bare.said()}`);
}

/** Where what is said changes from bin to bin, in pixels: the edges 0 .. 3. */
async function edges(at, bare) {
  const said = await saidAt(bare, Array.from({ length: Math.floor(at.box.width) }, (_none, x) => [x, 60]));
  return [0, 1, 2, 3].map(bin => said.findIndex(text => text.startsWith(`${bin} to `)));
}

async function besideAnother(bare, want) {
  await bare.show(made(['layer 0', 'layer 1'], [[1, 2, 3, 4], [5, 6, 7, 8]], { keys: ['f32', 'q4'], other: f32([9, 9, 9, 9, 11, 12, 13, 14], [2, 4]) }), { dark: true, language: 'zh' });
  const at = await plot(bare);
  await at.press('ArrowDown', 'ArrowDown', 'End');
  want((await bare.said()) === 'layer 1: 3 至 4:8 (f32), 14 (q4), 占 126 的 6.35 %', `both: ${await bare.said()}`);
  const orange = '#e69a1a';
  want((await columnsOf(bare, orange)).some(column => column.count), 'its line is drawn');
  await bare.page.getByRole('button', { name: '对比 q4' }).click();
  want(!(await columnsOf(bare, orange)).some(column => column.count), 'and not when it is off');
}

/** Without labels there is no room above the plots: every pixel of one is its own. */
async function withoutLabels(bare, want) {
  await bare.show(made(['', ''], [[1, 2, 3, 4], [5, 6, 7, 8]], { zeros: undefined }));
  const at = await plot(bare);
  const of = await saidAt(bare, [8, 60, 112, 150].map(y => [at.box.width - 30, y]));
  await bare.page.mouse.move(0, 0);
  want(of.map(said => /: (\d+), /.exec(said)?.[1]).join() === '4,4,4,8', `the bins under the mouse: ${of.join(' | ')}`);
}

async function strips(bare, want) {
  const rows = 240;
  const counts = Array.from({ length: rows }, (_none, i) => [i, 2 * i, 3 * i, 0]);
  const ms = await bare.show(made(counts.map((_count, i) => `blocks.${i}.weight`), counts));
  console.log(`histograms: ${rows} rows shown in ${ms.toFixed(0)} ms`);
  const at = await plot(bare);
  await at.press('ArrowDown', 'PageDown', 'PageDown', 'Home', 'ArrowRight');
  want((await bare.said()) === 'blocks.20.weight: 0 to 1: 20, 0.943 % of 2,120', `a strip: ${await bare.said()}`);
  await at.press('Enter');
  want((await bare.said()).startsWith('blocks.20.weight: 2,120 values'), `enlarged: ${await bare.said()}`);
}

/** More rows than a canvas is tall: a page of them, and keys lead to the next one. */
async function pages(bare, want) {
  const rows = 3001;
  const counts = Array.from({ length: rows }, (_none, i) => [i + 1, 0, 0, 0]);
  await bare.show(made(counts.map((_count, i) => `row ${i}`), counts));
  const at = await plot(bare);
  await bare.page.getByLabel('rows shown', { exact: true }).selectOption({ label: '2001–3000 / 3001' });
  await at.press('Enter');
  want((await bare.said()).startsWith('row 2000: 202,001 values'), `without a crosshair Enter enlarges the first of the page: ${await bare.said()}`);
  await at.press('Escape', 'ArrowDown', 'Home');
  want((await bare.said()).startsWith('row 2000: '), `the first of that page: ${await bare.said()}`);
  await at.press('PageUp');
  want((await bare.said()).startsWith('row 1990: '), `and back to the page before: ${await bare.said()}`);
  want((await bare.page.getByLabel('rows shown', { exact: true }).inputValue()) === '1', 'whose rows are shown');
  await bare.page.getByLabel('rows shown', { exact: true }).selectOption('3');
  await at.press('ArrowDown', 'ArrowDown');
  want((await bare.said()).startsWith('row 3000: '), `the last page has one row: ${await bare.said()}`);
  await at.press('Escape');
}

async function ofTheProgram(bare, want, figures) {
  const [of] = await figures('%model new lstm --layers 3 --hidden 32 --seed 3\n# %%\n%weights\n');
  await bare.show(of);
  const counts = floats(of.counts);
  const [rows, bins] = of.counts.shape;
  const all = counts.slice(0, bins).reduce((sum, count) => sum + count, 0) + floats(of.zeros)[0];
  const at = await plot(bare);
  await bare.page.getByLabel('row', { exact: true }).selectOption('0');
  want(rows > 1 && (await bare.said()).startsWith(`${of.labels[0]}: ${all.toLocaleString('en')} values`), `${all} values: ${await bare.said()}`);
  await at.press('End');
}

export default async function (bare, want, figures) {
  await saysCounts(bare, want);
  await heights(bare, want);
  await pages(bare, want);
  await besideAnother(bare, want);
  await withoutLabels(bare, want);
  await strips(bare, want);
  await ofTheProgram(bare, want, figures);
}
