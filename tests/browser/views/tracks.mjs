// tracks.mjs: one text as two tokenizers cut it, against the text's own bytes and the spans decoded here.

const TEXT = 'Unbelievable! 今天 naïve café tokens';

const floats = ({ base64 }) => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_none, i) => bytes.readFloatLE(4 * i));
};

export default async function tracks(bare, want, figures) {
  const { page } = bare;
  const [figure] = await figures(`%model load minilm\n# %%\n%model load smollm2\n# %%\n%%tokens --model minilm,smollm2\n${TEXT}`);
  const bytes = Buffer.from(TEXT);
  const all = figure.tracks.map(({ model, tokens, id, span }) => ({ model, tokens, ids: floats(id), spans: floats(span) }));
  const overlaps = (t, i) => {
    const [begin, end] = all[t].spans.slice(2 * i, 2 * i + 2);
    const there = all[1 - t].spans;
    return all[1 - t].tokens.map((_none, k) => k).filter(k => there[2 * k] < end && there[2 * k + 1] > begin);
  };
  for (const dark of [false, true]) {
    await page.mouse.move(990, 2);
    await bare.show({ ...figure }, { dark });
    await page.locator('.cutaway-tracks').focus();
    await page.keyboard.press('Home');
    for (let t = 0; t < 2; t++) {
      for (let i = 0; i < all[t].tokens.length; i++) {
        const said = await bare.said();
        const [begin, end] = all[t].spans.slice(2 * i, 2 * i + 2);
        const hex = [...bytes.subarray(begin, end)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
        want(said.startsWith(`${all[t].model}: ${all[t].tokens[i]} · id ${all[t].ids[i]} · bytes ${begin}–${end}: ${hex}`), `track ${t}, token ${i}: ${said}`);
        const found = overlaps(t, i);
        const alone = all[t].spans.filter((edge, k) => k % 2 === 0 && edge === begin && all[t].spans[k + 1] === end).length;
        const same = found.length === alone && found.every(k => all[1 - t].spans[2 * k] === begin && all[1 - t].spans[2 * k + 1] === end);
        want(said.includes('same cut in') === same, `track ${t}, token ${i}: ${said}`);
        want((await page.locator('.cutaway-same').count()) === (same ? found.length : 0) && (await page.locator('.cutaway-other').count()) === (same ? 0 : found.length), `track ${t}, token ${i}: other tokens are outlined`);
        await page.keyboard.press('ArrowRight');
      }
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowDown');
    }
    await page.locator('.cutaway-tracks-token').first().hover();
    want((await bare.said()).startsWith(`${all[0].model}: ${all[0].tokens[0]}`), `the mouse is told ${await bare.said()}`);
    /* What begins at the same byte stands at the same place. */
    const left = await page.locator('.cutaway-tracks-token').evaluateAll(nodes => nodes.map(node => [node.dataset.at, node.offsetLeft, node.parentElement.offsetTop]));
    const at = Object.fromEntries(left.map(([key, x, y]) => [key, `${x},${y}`]));
    all[0].tokens.forEach((token, i) => {
      const k = all[1].spans.findIndex((edge, e) => e % 2 === 0 && edge === all[0].spans[2 * i]) / 2;
      want(k < 0 || at[`0,${i}`] === at[`1,${k}`], `${token} and ${all[1].tokens[k]} begin at one byte but stand at ${at[`0,${i}`]} and ${at[`1,${k}`]}`);
    });
  }
  await bare.show({ ...figure }, { language: 'zh' });
  await page.getByRole('button', { name: '下一处不同' }).click();
  want((await bare.said()).includes('切成'), `the next difference: ${await bare.said()}`);
}
