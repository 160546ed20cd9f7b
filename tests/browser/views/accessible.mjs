// accessible.mjs: axe finds nothing in any view, light and dark, English and Chinese, nor in the HTML of any picture.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { samples, SCRIPTS } from '../samples.mjs';

const AXE = readFileSync(join(resolve(dirname(fileURLToPath(import.meta.url)), '../../..'), 'lab/node_modules/axe-core/axe.min.js'), 'utf8');

/** What asks for a whole page: a figure is a part of a notebook, which has its own headings and landmarks. */
const OF_PAGES = ['page-has-heading-one', 'landmark-one-main', 'region', 'bypass'];

async function examine(page, want, what) {
  const found = await page.evaluate(async off => {
    const rules = Object.fromEntries(off.map(name => [name, { enabled: false }]));
    const { violations, passes } = await window.axe.run(document, { rules, resultTypes: ['violations'], preload: false });
    return { passed: passes.length, violations: violations.flatMap(({ id, help, nodes }) => nodes.slice(0, 3).map(node => `${id} (${help}): ${node.html.slice(0, 160)}: ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`)) };
  }, OF_PAGES);
  want(found.passed > 5, `${what}: axe examined hardly anything (${found.passed} rules)`);
  want(found.violations.length === 0, `${what}: ${found.violations.join('\n  ')}`);
}

async function views(bare, want, figures) {
  const { page } = bare;
  await page.addScriptTag({ content: AXE });
  for (const [kind, figure] of await samples(figures, await page.evaluate('window.kinds'))) {
    for (const how of [{ dark: false }, { dark: true, language: 'zh' }]) {
      await bare.show(figure, how);
      const stop = page.locator('#root [tabindex="0"]').first();
      await stop.focus();
      for (const key of ['ArrowRight', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
      await examine(page, want, `${kind}, ${how.dark ? 'dark' : 'light'}`);
    }
  }
}

async function pages(page, want, figures) {
  for (const [kind, script] of Object.entries(SCRIPTS)) {
    for (const [i, html] of figures.pages(script).entries()) {
      await page.setContent(`<!doctype html><html lang="en"><title>${kind}</title><body>${html}</body></html>`);
      await page.evaluate(() => document.querySelectorAll('details').forEach(node => (node.open = true)));
      await page.addScriptTag({ content: AXE });
      await examine(page, want, `the HTML of ${kind}, output ${i + 1}`);
    }
  }
}

export default async function accessible(bare, want, figures) {
  await views(bare, want, figures);
  const page = await bare.page.context().browser().newPage();
  page.setDefaultTimeout(120_000);
  await pages(page, want, figures);
  await page.close();
}
