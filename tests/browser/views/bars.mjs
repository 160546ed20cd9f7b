// Bars: what is said is what the figure holds; sorting, searching, a logarithmic scale, the other model's bars, a pinned one.
import { f32, figure, floats, plot, rowsOf, settled } from '../plots.mjs';

const BLUE = '#0068a8';
const made = (names, values, more = {}) =>
  figure('bars', { measure: 'probability', log: false, signed: false, names, values: f32(values, [1, values.length]), ...more });

async function saysValues(bare, want) {
  await bare.show(made([' Paris'.replace(' ', '·'), '巴黎', '<b>the</b>'], [0.625, 0.125, 2 ** -20]));
  const at = await plot(bare);
  await at.hover(300, 2 + 21 * 1.5);
  want((await bare.said()) === '巴黎: probability 0.125', `the second row says ${await bare.said()}`);
  await at.press('ArrowDown');
  want((await bare.said()).startsWith('<b>the</b>: probability 9.5367×10⁻⁷'), `the third says ${await bare.said()}`);
  await at.press('Home', 'Enter', 'ArrowDown');
  want((await bare.said()) === '巴黎: probability 0.125; 0.2 times of the pinned ·Paris (0.625)', `beside the pinned: ${await bare.said()}`);
  await at.press('Escape');
  want((await bare.said()) === '', 'Escape lets go');
}

async function sortsAndFinds(bare, want) {
  const values = Array.from({ length: 400 }, (_none, i) => ((i * 7919) % 400) / 400);
  const ms = await bare.show(made(values.map((_value, i) => `word ${i}`), values));
  console.log(`bars: 400 shown in ${ms.toFixed(0)} ms`);
  const { page } = bare;
  const at = await plot(bare);
  await at.press('ArrowDown');
  want((await bare.said()) === 'word 0: probability 0', `first as given: ${await bare.said()}`);
  await at.press('Escape');
  await page.getByLabel('order').selectOption({ label: 'largest first' });
  await at.press('ArrowDown');
  const largest = values.indexOf(399 / 400);
  want((await bare.said()) === `word ${largest}: probability 0.9975`, `the largest is word ${largest}: ${await bare.said()}`);
  await at.press('End');
  want((await bare.said()) === 'word 0: probability 0', `the smallest is last: ${await bare.said()}`);
  want((await page.locator('.cutaway-scroller').evaluate(node => node.scrollTop)) > 1000, 'the last bar was scrolled to');
  await page.getByLabel('find a bar').fill('WORD 39');
  want((await bare.said()) === '11 of 400 bars', `word 39 and 390 to 399: ${await bare.said()}`);
  await page.getByLabel('find a bar').fill('no such');
  want((await bare.said()) === 'no bar has this in its name', 'nothing found is said');
}

/** From 10⁻³, the power of ten below half the smallest: lengths are as 1, 3 and 5. */
async function scales(bare, want) {
  await bare.show(made(['a', 'b', 'c'], [0.01, 1, 100]));
  const lengths = async () => {
    const rows = await rowsOf(bare, BLUE);
    return [0, 1, 2].map(i => rows[Math.round(2 + 21 * i + 9)]);
  };
  let [a, b, c] = await lengths();
  want(a <= 2 && Math.abs(b / c - 0.01) < 0.006, `linear lengths ${[a, b, c]}`);
  await bare.page.getByRole('button', { name: 'logarithmic' }).click();
  [a, b, c] = await lengths();
  want(Math.abs(b / a - 3) < 0.1 && Math.abs(c / a - 5) < 0.15, `logarithmic lengths ${[a, b, c]}`);
  await bare.show(made(['a', 'b'], [-1, 2], { signed: true }));
  want((await bare.page.getByRole('button', { name: 'logarithmic' }).count()) === 0, 'no logarithm of negative values');
}

async function besideAnother(bare, want) {
  const of = made(['x', 'y'], [0.5, 0.25], { keys: ['f32', 'q4'], other: f32([0.75, 0.125], [1, 2]), panels: ['text 1'] });
  await bare.show(of, { dark: true, language: 'zh' });
  const at = await plot(bare);
  await at.press('ArrowDown');
  want((await bare.said()) === 'text 1 · x: probability 0.5 (f32), 0.75 (q4), 相差 -0.25', `both are said: ${await bare.said()}`);
  await bare.page.getByLabel('排序').selectOption({ label: '按变化大小' });
  await settled(bare);
  await at.press('Home');
  want((await bare.said()).startsWith('text 1 · x'), 'the largest change comes first');
}

async function ofTheProgram(bare, want, figures) {
  const [of] = (await figures('%model new lstm --hidden 32 --seed 3\n# %%\n%%predict\nabc\n')).filter(one => one.schema === 'cutaway.bars.v1');
  await bare.show(of);
  const values = floats(of.values);
  const at = await plot(bare);
  await at.press('ArrowDown');
  const said = await bare.said();
  want(said.startsWith(`${of.names[0]}: `) && Math.abs(parseFloat(said.split(' ').pop()) - values[0]) <= 5e-6 * values[0], `${said} for ${values[0]}`);
}

export default async function (bare, want, figures) {
  await saysValues(bare, want);
  await sortsAndFinds(bare, want);
  await scales(bare, want);
  await besideAnother(bare, want);
  await ofTheProgram(bare, want, figures);
}
