// Points: what is said, search, lasso and keyboard selection against sets known otherwise, legend, turning, and how long a frame takes.
import { f32, figure, floats, plot, saidAt, settled, u16, u8 } from '../plots.mjs';

const [WIDE, HIGH] = [13, 9];
/** Points on a lattice: number i at (i mod 13, i / 13). */
const lattice = Array.from({ length: WIDE * HIGH }, (_none, i) => [i % WIDE, Math.floor(i / WIDE)]);
const made = (points, labels, more = {}) =>
  figure('scatter', { count: points.length, axes: ['across', 'up', 'back'].slice(0, points[0].length), labels, points: f32(points.flat(), [points.length, points[0].length]), ...more });
const latticed = made(lattice, lattice.map((_point, i) => `p${i}`), { groupNames: ['even', 'odd'], group: u8(lattice.map((_point, i) => i % 2), [lattice.length]) });

const chosen = bare => bare.page.locator('.cutaway-chosen .cutaway-one').allInnerTexts();

/** Where the lattice lies on the canvas, from its first and its last point: the middles of all places that tell of them. */
async function place(bare, at) {
  const places = [];
  for (let y = 1; y < at.box.height; y += 2) {
    for (let x = 1; x < at.box.width; x += 2) places.push([x, y]);
  }
  const said = await saidAt(bare, places);
  const middle = name => {
    const hits = places.filter((_place, k) => said[k].startsWith(`${name}:`));
    return [0, 1].map(d => hits.reduce((sum, hit) => sum + hit[d], 0) / hits.length);
  };
  const [[x0, y0], [x1, y1]] = [middle('p0'), middle(`p${lattice.length - 1}`)];
  return ([x, y]) => [x0 + (x / (WIDE - 1)) * (x1 - x0), y0 + (y / (HIGH - 1)) * (y1 - y0)];
}

/** By angles: round a place inside, the sides of a polygon turn once about it. */
function winds(polygon, [x, y]) {
  let turned = 0;
  polygon.forEach(([x0, y0], i) => {
    const [x1, y1] = polygon[(i + 1) % polygon.length];
    const by = Math.atan2(y1 - y, x1 - x) - Math.atan2(y0 - y, x0 - x);
    turned += by - 2 * Math.PI * Math.round(by / (2 * Math.PI));
  });
  return Math.abs(turned) > Math.PI;
}

async function saysAndPicks(bare, want) {
  await bare.show(latticed);
  const at = await plot(bare);
  const pixel = await place(bare, at);
  await at.hover(...pixel([5, 3]));
  want((await bare.said()) === 'p44: across 5, up 3 · even', `the point there: ${await bare.said()}`);
  const polygon = [[0.6, 0.4], [8.4, 1.5], [4.5, 3.6], [11.4, 7.5], [2.4, 6.4]];
  await at.drag([...polygon, polygon[0]].map(pixel), 'Shift');
  const inside = lattice.flatMap((point, i) => (winds(polygon, point) ? [`p${i}`] : []));
  want(inside.length > 20 && String(await chosen(bare)) === String(inside), `inside are ${inside}, picked ${await chosen(bare)}`);
  want((await bare.said()) === `${inside.length} selected`, await bare.said());
  await bare.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: { writeText: async text => (window.copied = text) }, configurable: true }));
  await bare.page.getByRole('button', { name: 'copy labels' }).click();
  want((await bare.page.evaluate(() => window.copied)) === inside.join('\n'), 'the labels were copied');
  await bare.page.getByRole('button', { name: 'clear selection' }).click();
  want((await chosen(bare)).length === 0, 'none is selected');
}

async function byKeyboard(bare, want) {
  await bare.show(latticed, { dark: true });
  const at = await plot(bare);
  await at.press('ArrowRight');
  want((await bare.said()).startsWith('p58: across 6, up 4'), `the middle first: ${await bare.said()}`);
  await at.press('ArrowRight', 'ArrowUp', 'ArrowUp', 'ArrowLeft');
  want((await bare.said()).startsWith('p84: across 6, up 6'), `right, up, up, left: ${await bare.said()}`);
  await at.press('Space', 'ArrowDown', 'Space');
  want(String(await chosen(bare)) === 'p71,p84', `both are selected: ${await chosen(bare)}`);
  await at.press('Space');
  want(String(await chosen(bare)) === 'p84', 'and one again');
  await at.press('Escape', '+', '+');
  const seen = parseInt(await bare.said());
  want(seen > 0 && seen < lattice.length / 8, `nearer fewer are in sight: ${await bare.said()}`);
  await at.press('0');
  want((await bare.said()) === `${lattice.length} in sight`, `all: ${await bare.said()}`);
}

async function findsAndHides(bare, want) {
  await bare.show(latticed, { language: 'zh' });
  const { page } = bare;
  await page.getByLabel('查找点').fill('P11');
  const matching = lattice.flatMap((_point, i) => (`p${i}`.includes('p11') ? [`p${i}`] : []));
  want((await bare.said()) === `117 个点中有 ${matching.length} 个匹配`, await bare.said());
  await page.getByRole('button', { name: '选中匹配的点' }).click();
  want(String((await chosen(bare)).sort()) === String(matching.sort()), `the matches: ${await chosen(bare)}`);
  await page.getByLabel('查找点').press('Enter');
  want((await bare.said()).startsWith('p11: across 11, up 0'), `Enter goes to the first: ${await bare.said()}`);
  await page.getByLabel('查找点').fill('');
  await page.getByRole('button', { name: 'odd (58)' }).click();
  const at = await plot(bare);
  await at.press('0');
  want((await bare.said()) === '视野内 59 个', `the even ones alone: ${await bare.said()}`);
}

/** A turn is a rotation: rows of length 1 and at right angles, so that distances stay. */
async function turns(bare, want) {
  const worst = await bare.page.evaluate(async () => {
    const { rotation } = await import('/lab/lib/turn.js');
    let far = 0;
    for (let k = 0; k < 200; k++) {
      const m = rotation(k * 0.37, Math.sin(k) * 1.57);
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          far = Math.max(far, Math.abs(m[3 * i] * m[3 * j] + m[3 * i + 1] * m[3 * j + 1] + m[3 * i + 2] * m[3 * j + 2] - (i === j ? 1 : 0)));
        }
      }
    }
    return far;
  });
  want(worst < 1e-14, `rows are at right angles to ${worst}`);
  const corners = Array.from({ length: 8 }, (_none, i) => [i & 1, (i >> 1) & 1, i >> 2]);
  await bare.show(made(corners, corners.map(corner => corner.join(''))));
  const at = await plot(bare);
  const picture = () => bare.page.evaluate(() => document.querySelector('.cutaway-layers canvas').toDataURL());
  const first = await picture();
  await at.press('Shift+ArrowRight');
  await settled(bare);
  const turned = await picture();
  await at.press('Shift+ArrowLeft');
  await settled(bare);
  want(turned !== first && (await picture()) === first, 'there and back is the same picture');
  await at.drag([[300, 200], [420, 240]]);
  await settled(bare);
  want((await picture()) !== first, 'a drag turns it');
  await at.press('0');
  await settled(bare);
  want((await picture()) === first, '0 turns it back');
  want((await bare.page.getByRole('button', { name: 'spin' }).count()) === 1, 'it can spin');
  await bare.page.emulateMedia({ reducedMotion: 'reduce' });
  await bare.show(made(corners, corners.map(corner => corner.join(''))));
  want((await bare.page.getByRole('button', { name: 'spin' }).count()) === 0, 'not where the browser is set to less motion');
  await bare.page.emulateMedia({ reducedMotion: null });
}

/** Frames while 30,000 points are panned: the time that scripts take in each. */
async function isSmooth(bare, want) {
  const n = 30000;
  let state = 1;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const steps = Array.from({ length: 2 * n }, (_none, i) => Math.round((random() + random() + random() + (i % 10 < 4 ? 1 : 0)) * 16000));
  const of = figure('scatter', {
    count: n, axes: ['x', 'y'], labels: steps.slice(0, n).map((_step, i) => `word ${i}`), low: [-10, -10], high: [10, 10], coordinates: u16(steps, [n, 2]),
    groupNames: ['a', 'b', 'c', 'd', 'e'], group: u8(Array.from({ length: n }, (_none, i) => i % 5), [n])
  });
  const bytes = JSON.stringify(of).length;
  want(bytes < 1e6, `${bytes} bytes`);
  const ms = await bare.show(of);
  const at = await plot(bare);
  await bare.page.evaluate(() => {
    const request = window.requestAnimationFrame;
    window.spent = [];
    window.restore = () => (window.requestAnimationFrame = request);
    window.requestAnimationFrame = act =>
      request(time => {
        const began = performance.now();
        act(time);
        window.spent.push(performance.now() - began);
      });
  });
  await at.drag([[300, 200], ...Array.from({ length: 20 }, (_none, i) => [300 + 8 * i, 200 + 4 * i])]);
  const spent = (await bare.page.evaluate(() => (window.restore(), window.spent))).sort((a, b) => a - b);
  want(spent.length > 10, 'it was panned');
  console.log(`points: ${n} shown in ${ms.toFixed(0)} ms, ${bytes} bytes; ${spent.length} frames, median ${spent[spent.length >> 1].toFixed(1)} ms, longest ${spent[spent.length - 1].toFixed(1)} ms`);
  await at.press('Escape');
  await bare.page.getByLabel('find a point').fill('word 2999');
  want((await bare.said()) === '11 of 30,000 points match', `2999 and 29990 to 29999: ${await bare.said()}`);
  await bare.page.getByLabel('find a point').press('Enter');
  const place = [0, 1].map(d => -10 + (steps[2 * 2999 + d] / 65534) * 20);
  const told = (await bare.said()).match(/x (\S+), y (\S+) · (\w)/);
  want(Math.abs(told[1] - place[0]) < 5e-3 && Math.abs(told[2] - place[1]) < 5e-3 && told[3] === 'e', `${await bare.said()} for ${place}`);
}

async function ofTheProgram(bare, want, figures) {
  const [of] = (await figures('%model new lstm --layers 2 --hidden 24 --seed 3\n# %%\n%%embed --method pca --dim 2\nab\ncd\nef\ngh\nij\n')).filter(one => one.schema === 'cutaway.scatter.v1');
  await bare.show(of);
  const points = floats(of.points);
  const at = await plot(bare);
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowUp', 'ArrowLeft']) {
    await at.press(key);
    const told = (await bare.said()).split(': ')[1].match(/-?[\d.,]+(×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?(?=,|$| ·)/g);
    const i = of.labels.indexOf((await bare.said()).split(':')[0]);
    want(i >= 0 && Math.abs(parseFloat(told[0]) - points[2 * i]) <= 2e-3 * Math.abs(points[2 * i]) + 1e-3, `${await bare.said()} for ${points[2 * i]}`);
  }
}

export default async function (bare, want, figures) {
  await saysAndPicks(bare, want);
  await byKeyboard(bare, want);
  await findsAndHides(bare, want);
  await turns(bare, want);
  await isSmooth(bare, want);
  await ofTheProgram(bare, want, figures);
}
