// choices.mjs: steps and their alternatives, against probabilities decoded here.

const floats = ({ base64 }) => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_none, i) => bytes.readFloatLE(4 * i));
};
const exact = value => String(+value.toPrecision(4));

export default async function choices(bare, want, figures) {
  const { page } = bare;
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  const figure = (await figures('%model load smollm2\n# %%\n%%generate --max 5 --temperature 0.9 --seed 3\nThe capital of France is')).find(one => one.schema === 'cutaway.choices.v1');
  const values = floats(figure.values);
  const [steps, k] = figure.values.shape;
  const chosen = floats(figure.chosen);
  const probability = floats(figure.probability);
  for (const dark of [false, true]) {
    await page.mouse.move(990, 2);
    await bare.show({ ...figure }, { dark });
    await page.locator('.cutaway-choices').focus();
    await press('Home');
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < k; i++) {
        const said = await bare.said();
        want(said.startsWith(`step ${step + 1}: ${figure.tokens[step * k + i]} · `) && said.includes(`(${exact(values[step * k + i])})`) && said.includes(`rank ${i + 1}`), `step ${step}, alternative ${i}: ${said}`);
        want(said.includes('chosen') === (chosen[step] === i), `step ${step}, alternative ${i}, chosen ${chosen[step]}: ${said}`);
        if (i < k - 1) await press('ArrowDown');
      }
      await press('ArrowRight', ...Array(k).fill('ArrowUp'));
    }
    await press('Home', 'Enter');
    const listed = await page.locator('.cutaway-opened-item').allInnerTexts();
    want(listed.length === k && listed.every((text, i) => text.includes(exact(values[i]))), `all of a step: ${listed.join('; ')}`);
    await press('Escape');
    want((await page.locator('.cutaway-opened').isHidden()) === true, 'Escape leaves the list open');
    await bare.show({ ...figure }, { dark });
    await page.getByRole('button', { name: 'least sure' }).click();
    const least = probability.indexOf(Math.min(...probability));
    want((await bare.said()).startsWith(`step ${least + 1}:`), `least sure is step ${least + 1}: ${await bare.said()}`);
    await page.locator('.cutaway-choice').nth(1).hover();
    want((await bare.said()).includes(`(${exact(values[1])})`), `the mouse is told ${await bare.said()}`);
    await page.getByLabel('alternatives', { exact: true }).selectOption('3');
    want((await page.locator('.cutaway-choice').count()) === 3 * steps, 'three alternatives a step are not shown');
  }
  const [texts] = await figures('%model load smollm2\n# %%\n%%predict --top 4\nThe capital of France is\nThe opposite of hot is');
  await bare.show(texts, { language: 'zh' });
  await page.locator('.cutaway-card-head').nth(1).click();
  const told = floats(texts.values);
  const title = await page.locator('.cutaway-opened-title').innerText();
  want(title.includes('The opposite of hot is') && title.includes('全部 4 个候选'), `the opened text is ${title}`);
  want((await page.locator('.cutaway-opened-item').first().innerText()).includes(exact(told[4])), 'the opened text has other probabilities');
}
