// every.mjs: what holds for every kind: its texts are there, it can be reached, used and left by keys alone,
// and it looks the same again after another theme and another width, the dark one built as the light one.
// (Compared with itself: pictures kept from another machine would test its fonts.)
import { samples } from '../samples.mjs';

const settled = page => page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)))));

async function picture(page) {
  await page.mouse.move(999, 1);
  await settled(page);
  return (await page.screenshot({ animations: 'disabled', fullPage: true })).toString('base64');
}

/** How far apart two pictures are: the mean over bytes of their pixels, 0 to 255; 255 for different sizes. */
function distance(page, one, other) {
  return one === other ? 0 : page.evaluate(async pair => {
    const [a, b] = await Promise.all(pair.map(async data => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    }));
    if (a.width !== b.width || a.height !== b.height) return 255;
    return a.data.reduce((sum, byte, i) => sum + Math.abs(byte - b.data[i]), 0) / a.data.length;
  }, [one, other]);
}

/** Elements with their classes and texts, without colours. */
const structure = page => page.evaluate(() =>
  [...document.querySelectorAll('#root *')].map(node => `${node.tagName}.${[...node.classList].filter(name => name !== 'cutaway-dark').join('.')} ${node.childElementCount ? '' : node.textContent}`)
);

async function change(page, dark) {
  await page.evaluate(on => {
    document.body.style.background = on ? '#111111' : '#ffffff';
    window.view.change({ dark: on, still: false, language: '', kernel: null });
  }, dark);
  await settled(page);
}

async function comesBack(bare, want, kind, figure) {
  const { page } = bare;
  await bare.show(figure);
  const first = await picture(page);
  const light = await structure(page);
  await change(page, true);
  const dark = await picture(page);
  want((await distance(page, first, dark)) > 10, `${kind}: the dark theme looks like the light one`);
  want((await structure(page)).join('\n') === light.join('\n'), `${kind}: the dark theme has other elements or texts`);
  await change(page, false);
  want((await distance(page, first, await picture(page))) < 0.05, `${kind}: another theme and back changes the picture`);
  await page.setViewportSize({ width: 520, height: 900 });
  await settled(page);
  want(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${kind}: the page is wider than its window of 520 pixels`);
  await page.setViewportSize({ width: 1000, height: 900 });
  await settled(page);
  want((await distance(page, first, await picture(page))) < 0.05, `${kind}: another width and back changes the picture`);
}

async function textsAreThere(bare, want, kind, figure) {
  const seen = await bare.page.locator('.cutaway-figure').innerText();
  for (const name of ['finding', 'title', 'caption', 'provenance']) {
    want(seen.includes(figure[name].trim()), `${kind}: the ${name} is not on the page`);
  }
  want((await bare.page.getByRole('figure', { name: figure.alt, exact: true }).count()) === 1, `${kind}: no figure has the alternative text as its name`);
  want((await bare.page.locator('.cutaway-said[role=status]').count()) === 1, `${kind}: nothing says values`);
}

/** From an element before the view, through it by Tab, out behind it; in it, an arrow key says something. */
async function keysAlone(bare, want, kind, figure) {
  const { page } = bare;
  await bare.show(figure);
  await page.evaluate(() => {
    document.querySelectorAll('.outside').forEach(node => node.remove());
    for (const place of ['beforebegin', 'afterend']) {
      document.getElementById('root').insertAdjacentHTML(place, `<button class="outside" id="${place}">${place}</button>`);
    }
  });
  await page.locator('#beforebegin').focus();
  let stops = 0, said = '';
  for (;;) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
    if (at === 'afterend') break;
    want(at !== 'BODY' && ++stops < 60, `${kind}: Tab does not lead through the view (after ${stops} stops at ${at})`);
    const rings = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    });
    want(rings, `${kind}: at stop ${stops} it cannot be seen where the keyboard is`);
    if (await page.evaluate(() => !document.activeElement.matches('input, select, button, summary'))) {
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowDown');
      said ||= await bare.said();
    }
  }
  want(stops > 0, `${kind}: the keyboard does not get into it`);
  want(said !== '', `${kind}: arrow keys say nothing`);
  await page.keyboard.press('Shift+Tab');
  want(await page.evaluate(() => document.getElementById('root').contains(document.activeElement)), `${kind}: Shift+Tab does not lead back into it`);
  await page.evaluate(() => document.querySelectorAll('.outside').forEach(node => node.remove()));
}

export default async function every(bare, want, figures) {
  for (const [kind, figure] of await samples(figures, await bare.page.evaluate('window.kinds'))) {
    await comesBack(bare, want, kind, figure);
    await textsAreThere(bare, want, kind, figure);
    await keysAlone(bare, want, kind, figure);
  }
}
