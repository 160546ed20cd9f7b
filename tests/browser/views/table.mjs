// table.mjs: sorting, searching and walking a table of thousands of rows, of which only those in sight are there.

const N = 5000;
const encode = values => ({ encoding: 'f32', shape: [values.length], base64: Buffer.from(Float32Array.from(values).buffer).toString('base64') });

function made() {
  const values = Array.from({ length: N }, (_none, i) => (i === 7 ? NaN : ((i * 7919) % N) - 100));
  const column = (head, texts, numbers) => ({ head, texts, ...(numbers ? { values: encode(numbers) } : {}) });
  return {
    values,
    figure: {
      schema: 'cutaway.table.v1', language: 'en', title: 'Rows', note: '', finding: '', caption: '', alt: 'Rows', provenance: '', count: N,
      columns: [column('name', values.map((_none, i) => `row ${i}`)), column('value', values.map(value => (Number.isNaN(value) ? 'NaN' : value.toLocaleString('en'))), values)]
    }
  };
}

export default async function table(bare, want, figures) {
  const { page } = bare;
  const { values, figure } = made();
  const ordered = way => values.map((_none, i) => i).sort((a, b) => Number.isNaN(values[a]) - Number.isNaN(values[b]) || way * (values[a] - values[b]) || a - b);
  const first = () => page.locator('.cutaway-table-row .cutaway-cell').first().innerText();
  const sort = name => page.getByRole('button', { name }).click();
  const state = () => page.locator('thead th').nth(1).getAttribute('aria-sort');
  for (const dark of [false, true]) {
    await page.mouse.move(990, 2);
    await bare.show({ ...figure }, { dark });
    want((await page.locator('.cutaway-table-row').count()) < 100, 'rows out of sight are on the page');
    await sort('value');
    want((await state()) === 'descending' && (await first()) === `row ${ordered(-1)[0]}`, `the largest first: ${await first()}`);
    await sort('value');
    want((await state()) === 'ascending' && (await first()) === `row ${ordered(1)[0]}`, `the smallest first: ${await first()}`);
    await page.locator('.cutaway-rows').focus();
    await page.keyboard.press('End');
    want((await bare.said()).startsWith('name: row 7 · value: NaN · row 5000 of 5000'), `what is no number stands last: ${await bare.said()}`);
    await page.keyboard.press('ArrowUp');
    want((await bare.said()).startsWith(`name: row ${ordered(1)[N - 2]} ·`), `before it: ${await bare.said()}`);
    const sight = await page.evaluate(() => {
      const box = document.querySelector('.cutaway-rows').getBoundingClientRect();
      const row = document.querySelector('.cutaway-current').getBoundingClientRect();
      return row.top >= box.top && row.bottom <= box.bottom + 1;
    });
    want(sight, 'the row that is told is out of sight');
    await sort('value');
    want((await state()) === 'none' && (await first()) === 'row 0', `as it came: ${await first()}`);
    await sort('name');
    await sort('name');
    want((await first()) === 'row 4999', `names count as they are read: ${await first()}`);
    await page.getByLabel('search rows').fill('ROW 499');
    const found = values.filter((_none, i) => `row ${i}`.includes('row 499')).length;
    want((await page.locator('.cutaway-host .cutaway-hint').first().innerText()) === `${found} of ${N} rows`, 'the rows found are not counted');
    want((await page.locator('.cutaway-table-row').count()) === found, 'other rows are shown than those found');
    await page.getByLabel('search rows').fill('<nothing>');
    want((await page.locator('.cutaway-host .cutaway-hint').first().innerText()) === 'no row has "<nothing>"', 'it does not say that nothing is found');
  }
  const [site] = await figures('%model load minilm\n# %%\n%info blocks.0.attn.hook_q');
  await bare.show(site, { language: 'zh' });
  await page.locator('.cutaway-rows').focus();
  await page.keyboard.press('ArrowDown');
  const said = await bare.said();
  want(site.columns.every(({ head, texts }) => said.includes(`${head}: ${texts[0]}`)), `the first row is told as ${said}`);
}
