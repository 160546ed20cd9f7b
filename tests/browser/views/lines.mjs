// Curves: y = x² and its like are said as they are; zoom ranges, logarithmic scales, lines on and off, gaps.
import { bend, columnsOf, f32, figure, floats, plot, settled } from '../plots.mjs';

const BLUE = '#0068a8';
const X = Array.from({ length: 101 }, (_none, i) => (i - 50) / 10);
const made = (names, x, lines, more = {}) =>
  figure('lines', { measure: 'y', along: 'x', log: false, xLog: false, lines: names.length, points: x.length, names, values: f32(lines.flat(), [names.length, x.length]), x: f32(x, [x.length]), ...more });
const curves = made(['x²', 'sin x', 'root'], X, [X.map(x => x * x), X.map(Math.sin), X.map(x => (x < 0 ? NaN : Math.sqrt(x)))]);

/** "x 1.5: x² 2.25, sin x 0.997495, root 1.22474" as { at: 1.5, 'x²': 2.25, ... } */
function parsed(said) {
  const [head, ...rest] = said.split(': ');
  const values = { at: parseFloat(head.split(' ').pop()) };
  for (const part of rest.join(': ').split(', ')) {
    const cut = part.lastIndexOf(' ');
    values[part.slice(0, cut)] = parseFloat(part.slice(cut + 1));
  }
  return values;
}

async function saysValues(bare, want) {
  await bare.show(curves);
  const at = await plot(bare);
  for (const share of [0.2, 0.45, 0.6, 0.8]) {
    await at.hover(at.box.width * share, 100);
    const { at: x, ...y } = parsed(await bare.said());
    const near = (a, b) => Math.abs(a - b) <= 1e-5 * Math.abs(b) + 1e-6;
    want(near(y['x²'], x * x) && near(y['sin x'], Math.sin(x)), `at ${x}: ${JSON.stringify(y)}`);
    want(x < 0 ? !('root' in y) || Number.isNaN(y.root) : near(y.root, Math.sqrt(x)), `the root at ${x}: ${await bare.said()}`);
  }
  await at.press('Home');
  want((await bare.said()).startsWith('x -5: x² 25'), `the first point: ${await bare.said()}`);
  want((await bare.said()).includes('root no value'), `a gap is said: ${await bare.said()}`);
  await at.press('End', 'ArrowLeft', 'ArrowLeft');
  want(parsed(await bare.said())['x²'] === 23.04, `two before the last, 4.8² is 23.04: ${await bare.said()}`);
}

/** "shown: LOW to HIGH" */
const span = async bare => (await bare.said()).replace('shown: ', '').split(' to ').map(Number);

/** What is under the mouse is told by the picture as it was drawn last. */
const drawn = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));

async function zooms(bare, want) {
  await bare.show(curves);
  const { page } = bare;
  const at = await plot(bare);
  await at.press('+');
  want(String(await span(bare)) === '-2.5,2.5', `half of -5 .. 5 round its middle: ${await bare.said()}`);
  await at.press('Shift+ArrowRight');
  want(String(await span(bare)) === '-1.5,3.5', `a fifth to the right: ${await bare.said()}`);
  await at.press('-', '-');
  want(String(await span(bare)) === '-5,5', `as far out as there is: ${await bare.said()}`);
  await drawn(page);
  await at.hover(at.box.width * 0.3, 60);
  const from = parsed(await bare.said()).at;
  await at.hover(at.box.width * 0.6, 60);
  const to = parsed(await bare.said()).at;
  await at.drag([[at.box.width * 0.3, 60], [at.box.width * 0.6, 66]]);
  const [low, high] = await span(bare);
  want(Math.abs(low - from) <= 0.051 && Math.abs(high - to) <= 0.051, `dragged from ${from} to ${to}, shown ${low} to ${high}`);
  await page.getByRole('button', { name: 'reset view' }).click();
  want(String(await span(bare)) === '-5,5', 'all again');
  await at.canvas.focus();
  await drawn(page);
  await at.hover(at.box.width * 0.5, 60);
  const before = parsed(await bare.said()).at;
  await page.mouse.wheel(0, -240);
  await drawn(page);
  await at.hover(at.box.width * 0.5 + 1, 60);
  want(Math.abs(parsed(await bare.said()).at - before) < 0.06, 'what is under the mouse stays there when the wheel turns');
  await at.press('0', 'Escape');
}

/** 2^k, k = 0 .. 12, is a straight line on a logarithmic scale; k against 2^k too, with the other switch. */
async function scales(bare, want) {
  const k = Array.from({ length: 13 }, (_none, i) => i);
  const middles = async () => (await columnsOf(bare, BLUE)).filter(column => column.count && column.count < 9 && column.x > 80 && column.x < 820).map(column => [column.x, column.middle]);
  await bare.show(made([''], k, [k.map(i => 2 ** i)]));
  want(bend(await middles()) > 60, 'a power is bent');
  await bare.page.getByRole('button', { name: 'logarithmic values' }).click();
  const straight = await middles();
  want(straight.length > 300 && bend(straight) < 2.5, `and straight by its logarithm: ${bend(straight)}`);
  await bare.show(made([''], k.map(i => 2 ** i), [k]));
  await bare.page.getByRole('button', { name: 'logarithmic axis' }).click();
  const other = await middles();
  want(other.length > 300 && bend(other) < 2.5, `the other axis: ${bend(other)}`);
}

async function showsAndHides(bare, want) {
  await bare.show(curves, { dark: true });
  const { page } = bare;
  const key = page.getByRole('button', { name: 'sin x' });
  want((await key.getAttribute('aria-pressed')) === 'true', 'shown at first');
  await key.click();
  const at = await plot(bare);
  await at.press('End');
  want((await key.getAttribute('aria-pressed')) === 'false' && !(await bare.said()).includes('sin x'), `hidden: ${await bare.said()}`);
  await page.getByRole('button', { name: 'root' }).click({ modifiers: ['Shift'] });
  await at.press('End');
  want((await bare.said()) === 'x 5: root 2.23607', `alone: ${await bare.said()}`);
  const many = Array.from({ length: 40 }, (_none, i) => i);
  await bare.show(made(many.map(i => `line ${i}`), [0, 1], many.map(i => [i, 2 * i])));
  await at.press('End', 'ArrowUp');
  want((await bare.said()).startsWith('x 1: line 39 78') && (await bare.said()).endsWith('and 32 more lines'), `of many: ${await bare.said()}`);
}

async function ofTheProgram(bare, want, figures) {
  const all = await figures('%model new lstm --layers 3 --hidden 32 --seed 3\n# %%\n%%gradients\nabc def\n');
  const of = all.find(one => one.schema === 'cutaway.lines.v1');
  await bare.show(of, { language: 'zh' });
  const values = floats(of.values);
  const [lines, points] = of.values.shape;
  const at = await plot(bare);
  await at.press('End');
  const said = await bare.said();
  for (let i = 0; i < lines; i++) {
    const value = values[(i + 1) * points - 1];
    const told = said.includes(Number.isNaN(value) ? '无值' : String(+value.toPrecision(6))) || value < 1e-3;
    want(told, `${of.names[i]} is ${value}: ${said}`);
  }
}

async function isQuick(bare, want) {
  const n = 3277;
  const x = Array.from({ length: n }, (_none, i) => i);
  const lines = Array.from({ length: 20 }, (_none, k) => x.map(i => Math.sin(i / 200 + k) + k));
  const ms = await bare.show(made(lines.map((_line, k) => `step ${k}`), x, lines));
  console.log(`curves: 20 of ${n} points shown in ${ms.toFixed(0)} ms`);
  const at = await plot(bare);
  await at.hover(500, 100);
  want((await bare.said()).includes('and 12 more lines'), await bare.said());
  await settled(bare);
}

export default async function (bare, want, figures) {
  await saysValues(bare, want);
  await zooms(bare, want);
  await scales(bare, want);
  await showsAndHides(bare, want);
  await ofTheProgram(bare, want, figures);
  await isQuick(bare, want);
}
