// screens.mjs: every kind in both themes beside the picture of it that is kept in tests/browser/screens. A view that moves, fades
// or loses a part is seen here, although none of its numbers or texts changed. They are compared small, where the strokes of
// letters, which differ between versions of browsers, weigh little. SCREENS=write keeps them anew: look at them before a commit.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { samples } from '../samples.mjs';

const KEPT = resolve(dirname(fileURLToPath(import.meta.url)), '../screens');
const SHRUNK = 5; /* pixels of the screen to one of what is kept */
const MEAN = 1.5, BLOCK = 24; /* of 255: the most that pictures may differ as a whole, and in a block of 8 x 8 */

async function screen(bare, figure, dark) {
  await bare.show(figure, { dark, still: true });
  await bare.page.mouse.move(999, 1);
  await bare.page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 50))));
  const shot = await bare.page.locator('#root').screenshot({ animations: 'disabled' });
  return bare.page.evaluate(async ([data, shrunk]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
    const [width, height] = [image.width, image.height].map(size => Math.round(size / shrunk));
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
    return canvas.toDataURL('image/png').split(',')[1];
  }, [shot.toString('base64'), SHRUNK]);
}

/** The mean difference of two pictures, and that of the worst block, 0 to 255; 255 for other sizes. */
function distance(page, one, other) {
  return page.evaluate(async pair => {
    const [a, b] = await Promise.all(pair.map(async data => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    }));
    if (a.width !== b.width || Math.abs(a.height - b.height) > 1) return { mean: 255, block: 255 };
    const across = Math.ceil(a.width / 8), height = Math.min(a.height, b.height);
    const sums = new Float64Array(across * Math.ceil(height / 8)), counts = sums.slice();
    for (let at = 0; at < 4 * a.width * height; at++) {
      if (at % 4 === 3) continue; // opaque
      const pixel = at >> 2, block = (Math.floor(pixel / a.width) >> 3) * across + ((pixel % a.width) >> 3);
      sums[block] += Math.abs(a.data[at] - b.data[at]);
      counts[block]++;
    }
    const all = sums.reduce((sum, one) => sum + one), count = counts.reduce((sum, one) => sum + one);
    return { mean: all / count, block: Math.max(...sums.map((sum, i) => sum / counts[i])) };
  }, [one, other]);
}

export default async function screens(bare, want, figures) {
  const kinds = await bare.page.evaluate(() => window.kinds);
  let before = null;
  for (const [kind, figure] of await samples(figures, kinds)) {
    for (const dark of [false, true]) {
      const name = `${kind}-${dark ? 'dark' : 'light'}.png`, file = join(KEPT, name);
      const seen = await screen(bare, figure, dark);
      if (process.env.SCREENS === 'write') writeFileSync(file, Buffer.from(seen, 'base64'));
      want(existsSync(file), `${name} is not kept: SCREENS=write keeps it`);
      const { mean, block } = await distance(bare.page, readFileSync(file).toString('base64'), seen);
      want(mean <= MEAN && block <= BLOCK, `${name} differs from what is kept by ${mean.toFixed(2)} in all, ${block.toFixed(0)} in a block`);
      const other = before && (await distance(bare.page, before, seen));
      want(!other || other.mean > MEAN || other.block > BLOCK, `${name} cannot be told from the picture before it`);
      before = seen;
    }
  }
}
