// architecture.mjs: a model to the scale of its parameters: 134,515,008 of SmolLM2 135M (its card says 135M; the file has 30 blocks).

const TOTAL = 134515008;
const whole = text => Number(text.replaceAll(',', ''));

export default async function architecture(bare, want, figures) {
  const { page } = bare;
  const figure = (await figures('%model load smollm2\n# %%\n%info')).find(one => one.schema === 'cutaway.architecture.v1');
  const parts = () => page.locator('.cutaway-tree-part').count();
  const all = figure.sections.reduce((sum, section) => sum + section.parts.length, 0);
  for (const dark of [false, true]) {
    await page.mouse.move(990, 2);
    await bare.show({ ...figure }, { dark });
    const numbers = await page.locator('.cutaway-tree-section .cutaway-tree-number').allInnerTexts();
    want(numbers.map(whole).reduce((sum, n) => sum + n, 0) === TOTAL, `the sections have ${numbers.join(' + ')} parameters`);
    want((await parts()) === all, 'not every part is shown');
    /* Boxes are as wide as their parameters are many. */
    const widths = await page.locator('.cutaway-whole-section').evaluateAll(nodes => nodes.map(node => node.getBoundingClientRect().width));
    const share = widths[0] / widths.reduce((sum, width) => sum + width, 0);
    want(Math.abs(share - (49152 * 576) / TOTAL) < 0.01, `the embeddings take ${share} of the width`);
    await page.locator('.cutaway-anatomy').focus();
    await page.keyboard.press('Home');
    want((await bare.said()).includes('28,311,552 parameters') && (await bare.said()).includes('21.0 % of the model'), `the first section: ${await bare.said()}`);
    for (const _none of figure.sections[0].parts) await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const blocks = figure.sections[1];
    want((await bare.said()).includes('30 copies of 3,540,096') && (await bare.said()).includes('unfolded'), `the blocks: ${await bare.said()}`);
    await page.keyboard.press('Enter');
    want((await parts()) === all - blocks.parts.length && (await bare.said()).includes('folded: Enter unfolds'), `Enter folds the blocks: ${await bare.said()}`);
    await page.keyboard.press('Enter');
    want((await parts()) === all, 'Enter unfolds them again');
    await page.getByLabel('block', { exact: true }).selectOption('3');
    await page.locator('.cutaway-anatomy').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    want((await bare.said()).startsWith('attention query · blk.3.attn_q.weight · 576 × 576 · Q4_1 · 331,776 parameters'), `the query of block 3: ${await bare.said()}`);
    await page.keyboard.press('Enter');
    want((await page.locator('.cutaway-tensor-name').innerText()) === 'blk.3.attn_q.weight', 'Enter gives no name to copy');
    await page.getByLabel('search parts').fill('ffn_');
    want((await parts()) === 4, `${await parts()} parts are found by their tensors' names`);
    await page.getByLabel('search parts').fill('');
    await page.locator('.cutaway-tree-part').first().hover();
    want((await bare.said()).startsWith('word embeddings · token_embd.weight · 49152 × 576'), `the mouse is told ${await bare.said()}`);
  }
  const many = structuredClone(figure);
  many.sections[1].copies = 100000;
  many.sections[1].parts = Array(500).fill(many.sections[1].parts[0]);
  await bare.show(many);
  const boxes = await page.locator('.cutaway-whole-part').count();
  want(boxes > 500 && boxes <= 4000, `${boxes} boxes for 100,000 copies of 500 parts`);
}
