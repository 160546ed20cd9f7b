// heatmap.mjs: heat maps and grids of heads under the mouse and the keys, against numbers decoded here.

const TEXT = 'The cat sat on the mat';

/** [panels][rows][columns] of a figure that was sent exactly. */
function decode(figure) {
  const { encoding, shape, base64 } = figure.values;
  if (encoding !== 'f32') throw new Error(`this test needs exact values, not ${encoding}`);
  const bytes = Buffer.from(base64, 'base64');
  const [layers, heads, rows, columns] = shape;
  return Array.from({ length: layers * heads }, (_p, p) =>
    Array.from({ length: rows }, (_r, r) => Array.from({ length: columns }, (_c, c) => bytes.readFloatLE(4 * ((p * rows + r) * columns + c))))
  );
}

const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Scores by their definitions, of one head. */
const SCORES = {
  entropy: head => mean(head.map(row => row.reduce((sum, w) => sum - (w > 0 ? w * Math.log(w) : 0), 0))),
  'previous token': head => mean(head.slice(1).map((row, i) => row[i])),
  'own token': head => mean(head.slice(1).map((row, i) => row[i + 1])),
  sink: head => mean(head.slice(1, -1).map(row => row[0] + row.at(-1)))
};

const shown = (value, exact = true) => (exact ? (value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(3) : String(+value.toPrecision(4))) : String(+value.toFixed(3)));

/** "the → cat: 0.1234 · places 1 → 2 ..." as its parts. */
function parse(said) {
  const found = /^(.+) → (.+?): (?:about |at most |below )?(-?[\d.e-]+|NaN|hidden)(?: \((-?[\d.e-]+) with sinks\))?(?: · places (\d+) → (\d+))?/.exec(said);
  return found && { from: found[1], to: found[2], value: found[3], before: found[4], row: found[5], column: found[6] };
}

function tools(bare) {
  const { page } = bare;
  return {
    page,
    canvas: () => page.locator('.cutaway-canvas'),
    press: async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    },
    said: () => bare.said(),
    notes: async () => (await page.locator('.cutaway-host .cutaway-note').allInnerTexts()).join(' | '),
    heading: () => page.locator('.cutaway-host .cutaway-title').innerText(),
    choose: (label, value) => page.getByLabel(label, { exact: true }).selectOption(value),
    button: name => page.getByRole('button', { name, exact: true })
  };
}

/** Shows a figure and gives the keyboard to its canvas. */
async function open(bare, figure, how) {
  const ms = await bare.show(figure, how);
  await bare.page.locator('.cutaway-canvas').focus();
  return ms;
}

async function overview(bare, want, figure, heads) {
  const t = tools(bare);
  await open(bare, figure);
  await t.press('ArrowRight');
  for (let head = 0; head < 3; head++, await t.press('ArrowRight')) {
    const said = await t.said();
    want(said.startsWith(`layer 0 head ${head} · `), `the arrow keys lead to head ${head}: ${said}`);
    for (const [name, score] of Object.entries(SCORES)) {
      const value = shown(score(heads[head]), false);
      const told = new RegExp(`${name} (-?[\\d.]+)`).exec(said)?.[1];
      want(Math.abs(told - value) <= 0.0011, `${name} of head ${head} is ${value}: ${said}`);
    }
  }
  for (const [order, name, sign] of [['previous', 'previous token', -1], ['rests', 'sink', -1], ['entropy', 'entropy', 1]]) {
    await t.choose('order', order);
    const sorted = heads.map((head, i) => [sign * SCORES[name](head), i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    await t.canvas().focus();
    await t.press('Home');
    want((await t.said()).startsWith(`layer 0 head ${sorted[0][1]}, number 1 of ${heads.length}`), `${name} puts head ${sorted[0][1]} first: ${await t.said()}`);
    await t.press('ArrowRight', 'ArrowRight');
    want((await t.said()).startsWith(`layer 0 head ${sorted[2][1]}, number 3`), `${name} puts head ${sorted[2][1]} third: ${await t.said()}`);
  }
}

async function oneHead(bare, want, figure, heads) {
  const t = tools(bare);
  const labels = figure.axes[2].labels;
  await open(bare, figure);
  await t.press('ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter');
  want((await t.heading()) === 'layer 0 head 2', `Enter opens the head under the cursor: ${await t.heading()}`);
  want((await t.notes()).includes('exact values'), `values sent as they are count as exact: ${await t.notes()}`);
  await t.press('ArrowRight');
  for (const [key, row, column] of [['', 0, 0], ['ArrowDown', 1, 0], ['ArrowDown', 2, 0], ['ArrowRight', 2, 1], ['ArrowUp', 1, 1], ['ArrowLeft', 1, 0]]) {
    if (key) await t.press(key);
    const told = parse(await t.said());
    want(told?.from === labels[row] && told.to === labels[column] && told.value === shown(heads[2][row][column]), `${key || 'the first arrow'} says row ${row} column ${column}: ${await t.said()}`);
  }
  await t.press('ArrowLeft');
  want(new RegExp(`^${labels[1]} → .* · sum 1$`).test(await t.said()), `the label tells the row and its sum: ${await t.said()}`);
  await t.press('ArrowRight', 'Enter', 'ArrowDown', 'ArrowRight');
  want((await t.said()).includes(`pinned ${labels[1]} → ${labels[1]}: ${shown(heads[2][1][1])}`), `the pinned row is told beside: ${await t.said()}`);
  await t.press('PageDown');
  want((await t.heading()) === 'layer 0 head 3', `Page Down opens the next head: ${await t.heading()}`);
  await t.choose('head', '7');
  want((await t.heading()) === 'layer 0 head 7', `the menu opens head 7: ${await t.heading()}`);
  await t.canvas().focus();
  await t.press('Escape', 'Escape');
  want((await t.page.locator('.cutaway-host .cutaway-title').count()) === 0, 'Escape lets the pin go, then leads back to the overview');
  want((await t.said()).startsWith('layer 0 head 7'), `the overview stands where the head was: ${await t.said()}`);
}

/** Wherever the mouse is, what is said is the value of the cell that is said. */
async function mouse(bare, want, figure, heads) {
  const t = tools(bare);
  await bare.show(figure);
  const box = await t.canvas().boundingBox();
  const seen = new Set();
  for (let i = 1; i < 12; i++) {
    for (let j = 1; j < 12; j++) {
      await t.page.mouse.move(box.x + (box.width * i) / 12, box.y + (box.height * j) / 12);
      const told = parse(await t.said());
      if (told && !told.to.includes(',')) {
        const rows = figure.axes[2].labels.flatMap((label, r) => (label === told.from && (told.row ?? String(r)) === String(r) ? [r] : []));
        const columns = figure.axes[3].labels.flatMap((label, c) => (label === told.to && (told.column ?? String(c)) === String(c) ? [c] : []));
        want(rows.length === 1 && columns.length === 1 && told.value === shown(heads[0][rows[0]][columns[0]]), `the mouse says what is there: ${await t.said()}`);
        seen.add(`${rows[0]} ${columns[0]}`);
      }
    }
  }
  want(seen.size > 30, `the mouse reached ${seen.size} cells`);
  await t.page.mouse.move(0, 0);
  want((await t.said()) === '', 'nothing is said where the mouse is gone');
}

/** In a narrow window the canvas is scrolled, not squeezed: a point means what stands there. */
async function narrow(bare, want, figure, heads) {
  const t = tools(bare);
  const last = heads[0].length - 1;
  await t.page.setViewportSize({ width: 300, height: 900 });
  await open(bare, figure);
  const wide = await t.canvas().evaluate(canvas => [canvas.clientWidth, parseFloat(canvas.style.width), canvas.parentElement.clientWidth]);
  want(Math.abs(wide[0] - wide[1]) < 1 && wide[0] > wide[2], `the canvas is ${wide[0]} wide in ${wide[2]}, laid out for ${wide[1]}`);
  await t.press('ArrowRight', ...Array(last).fill('ArrowRight'));
  const [tip, box] = [await t.page.locator('.cutaway-tip').boundingBox(), await t.canvas().boundingBox()];
  want(tip.x >= 0 && tip.x + tip.width <= 300, `the tip stands in sight: ${JSON.stringify(tip)}`);
  const value = async x => {
    await t.page.mouse.move(box.x + x, box.y + 130);
    return t.said();
  };
  const told = [];
  for (let x = -box.x + 20; x < 280 - box.x; x += 8) told.push(await value(x));
  await t.page.setViewportSize({ width: 1000, height: 900 });
  want(told.some(said => parse(said)), `the mouse says cells: ${told.join(' | ')}`);
}

/** Equal links are drawn too, as many as are said. */
async function equal(bare, want, figure) {
  const t = tools(bare);
  const n = 100;
  const axis = { ...figure.axes[2], count: n, source: n, labels: undefined };
  const values = { encoding: 'f32', shape: [1, 1, n, n], base64: Buffer.from(new Float32Array(n * n).fill(0.5).buffer).toString('base64') };
  await open(bare, { ...figure, axes: [...figure.axes.slice(0, 2), axis, { ...axis, name: 'key' }], values, scores: [], rests: [], whole: [] });
  await t.choose('shown as', 'lines');
  want((await t.notes()).includes(`the 6000 strongest of ${n * n} links`), `${n * n} equal links: ${await t.notes()}`);
  const dark = await t.canvas().evaluate(canvas => {
    const { data } = canvas.getContext('2d').getImageData(canvas.width * 0.48, 0, 8, canvas.height);
    return data.filter((byte, i) => i % 4 === 3 && byte > 0).length;
  });
  want(dark > 100, `and lines are drawn: ${dark}`);
}

async function sinks(bare, want, figure, heads) {
  const t = tools(bare);
  await open(bare, figure);
  await t.button('hide sinks').click();
  want((await t.notes()).includes('without [CLS], [SEP], each row divided by what is left'), `it says what is left out: ${await t.notes()}`);
  await t.canvas().focus();
  await t.press('ArrowRight', 'ArrowRight');
  const last = heads[0].length - 1;
  let sum = 0;
  for (let column = 1; column < last; column++, await t.press('ArrowRight')) {
    const told = parse(await t.said());
    const value = heads[0][0][column] / (1 - heads[0][0][0] - heads[0][0][last]);
    want(Math.abs(told.value - value) < 1e-3 * value, `column ${column} without sinks is ${value}: ${await t.said()}`);
    want(told.before === shown(heads[0][0][column]), `and was ${heads[0][0][column]}: ${await t.said()}`);
    sum += +told.value;
  }
  want(Math.abs(sum - 1) < 2e-3, `a row sums to 1 again: ${sum}`);
  want(parse(await t.said()).value === 'hidden', `a sink is told as hidden: ${await t.said()}`);
}

async function lines(bare, want, figure, heads) {
  const t = tools(bare);
  await open(bare, figure);
  await t.choose('shown as', 'lines');
  const far = figure.scale.high;
  for (const percent of [5, 20, 60]) {
    await t.page.locator('input[type=range]').evaluate((slider, value) => {
      slider.value = value;
      slider.dispatchEvent(new Event('input'));
    }, String(percent));
    const least = (percent * far) / 100;
    const count = heads[0].flat().filter(value => value >= least).length;
    const note = await t.notes();
    want(note.includes(`${count} links of at least ${+least.toPrecision(3)}`), `${count} links from ${least}: ${note}`);
  }
  await t.canvas().focus();
  await t.press('ArrowDown', 'ArrowDown');
  const row = heads[0][1].map((value, i) => [value, i]).filter(([value]) => value >= 0.6 * far).sort((a, b) => b[0] - a[0]);
  const told = row.map(([value, i]) => `${figure.axes[3].labels[i]} ${shown(value)}`).join(', ') || '–';
  want((await t.said()) === `${figure.axes[2].labels[1]} → ${told}`, `the links of a token are told, strongest first: ${await t.said()}`);
}

/** Beside the lines of a marked token stand its weights in every head; a click on one opens that head. */
async function everyHead(bare, want, figure, heads) {
  const t = tools(bare);
  const labels = figure.axes[3].labels;
  await open(bare, figure);
  await t.press('Home', 'ArrowRight', 'ArrowRight', 'Enter');
  await t.choose('shown as', 'lines');
  await t.canvas().focus();
  await t.press('ArrowDown', 'ArrowDown', 'Enter');
  const all = heads.flatMap((head, h) => head[1].map((value, column) => ({ h, column, value })));
  const most = all.reduce((best, one) => (one.value > best.value ? one : best));
  const told = `strongest of all heads: head ${most.h}, ${labels[most.column]} ${shown(most.value, false)}`;
  want((await t.said()).endsWith(` · ${told}`), `row 1 in all heads: ${told}: ${await t.said()}`);
  const box = await t.canvas().boundingBox();
  const each = Math.min(14, Math.floor((0.3 * 860 - 100) / heads.length));
  const [left, step] = [box.width * 0.7 + 12 + box.width * 0.3 - 14 - each * heads.length, (box.height - 30) / labels.length];
  const point = (head, column) => [box.x + left + (head + 0.5) * each, box.y + 26 + (column + 0.5) * step];
  for (const [head, column] of [[0, 0], [7, 3], [11, labels.length - 1]]) {
    await t.page.mouse.move(...point(head, column));
    const wanted = `head ${head}: ${labels[1]} → ${labels[column]} ${shown(heads[head][1][column], false)}`;
    want((await t.said()) === wanted, `${wanted}: ${await t.said()}`);
  }
  await t.page.mouse.click(...point(7, 3), { button: 'right' });
  await t.page.mouse.move(box.x + 20, box.y + 5);
  await t.page.mouse.down();
  await t.page.mouse.move(...point(7, 3));
  await t.page.mouse.up();
  want((await t.heading()) === 'layer 0 head 2', `another button and a drag from elsewhere open nothing: ${await t.heading()}`);
  await t.page.mouse.click(...point(7, 3));
  want((await t.heading()) === 'layer 0 head 7', `a click opens the head: ${await t.heading()}`);
  await t.button('hide sinks').click();
  await t.page.mouse.move(...point(5, 2));
  const row = heads[5][1];
  const without = row[2] / (1 - row[0] - row.at(-1));
  const value = Number(/ (\S+)$/.exec(await t.said())?.[1]);
  want(Math.abs(value - without) < 6e-4, `without sinks ${without}: ${await t.said()}`);
  await t.page.mouse.move(...point(5, 0));
  want((await t.said()) === `head 5: ${labels[1]} → ${labels[0]} hidden`, `a sink that is hidden: ${await t.said()}`);
}

/** Beside a head that is pooled, one that is there whole: the strongest of the cells that a pool holds. */
async function besidePools(bare, want, grid, exact) {
  const t = tools(bare);
  const [{ block, count }, heads] = [grid.axes[3], grid.axes[1].count];
  const [layer, whole] = grid.whole[0].at;
  await open(bare, { ...grid, whole: [grid.whole[0]] });
  await t.press('Home', ...Array(layer).fill('ArrowDown'), ...Array((whole + 1) % heads).fill('ArrowRight'), 'Enter');
  await t.choose('shown as', 'lines');
  await t.canvas().focus();
  await t.press('ArrowDown', 'ArrowDown', 'Enter');
  const box = await t.canvas().boundingBox();
  const each = Math.min(14, Math.floor((0.3 * 860 - 100) / heads));
  const [left, step] = [box.width - 2 - each * heads, (box.height - 30) / count];
  for (let column = 0; column < count; column += 3) {
    const cells = exact.slice(block, 2 * block).flatMap(row => row.slice(column * block, (column + 1) * block));
    await t.page.mouse.move(box.x + left + (whole + 0.5) * each, box.y + 26 + (column + 0.5) * step);
    const value = new RegExp(`^head ${whole}: ${block}–${2 * block - 1} → .* at most (\\S+)$`).exec(await t.said())?.[1];
    want(Math.abs(value - Math.max(...cells)) <= 0.5 / 255 + 6e-4, `at most ${Math.max(...cells)}: ${await t.said()}`);
  }
  await t.choose('head', String(whole));
  await t.page.mouse.move(box.x + left + (whole + 0.5) * each, box.y + 30);
  const [said, weight] = [await t.said(), exact[block][0]];
  const value = new RegExp(`^head ${whole}: .* about (\\S+)$`).exec(said)?.[1];
  want(Math.abs(value - weight) <= 0.5 / 255 + 6e-4, `a rounded weight, ${weight}, is said to be one: ${said}`);
}

/** Heads so long that not all can be unpacked at once: the one that is open keeps its numbers. */
async function tooLong(bare, want, grid) {
  const t = tools(bare);
  const [side, block, heads] = [2000, 100, 5];
  const count = side / block;
  const zeros = Math.ceil((side * side - 1) / 258); /* runs of half bytes: 15, then 255 more than 3 */
  const nibbles = head => `${head + 1}${'fff'.repeat(zeros - 1)}f${((side * side - 1 - 258 * (zeros - 1) - 3) & 255).toString(16).padStart(2, '0')}`;
  const packed = head => Buffer.from(nibbles(head).padEnd(2 * Math.ceil(nibbles(head).length / 2), '0'), 'hex').toString('base64');
  const axis = (of, size, each) => ({ ...of, count: size / each, source: size, block: each, labels: undefined });
  const figure = {
    ...grid,
    axes: [axis(grid.axes[0], 1, 1), axis(grid.axes[1], heads, 1), axis(grid.axes[2], side, block), axis(grid.axes[3], side, block)],
    values: { ...grid.values, shape: [1, heads, count, count], base64: Buffer.alloc(heads * count * count).toString('base64') },
    whole: Array.from({ length: heads }, (_none, head) => ({ at: [0, head], nibbles: packed(head) })),
    scores: undefined,
    rests: []
  };
  await open(bare, figure);
  await t.press('Home', 'Enter');
  want((await t.notes()).includes('rounded to 1/255'), `a head of ${side} tokens is whole: ${await t.notes()}`);
  await t.choose('shown as', 'lines');
  await t.canvas().focus();
  await t.press('ArrowDown', 'Enter', 'ArrowDown', 'Enter');
  await t.choose('head', '1');
  await t.choose('head', '0');
  want((await t.notes()).includes('rounded to 1/255'), `and stays so beside the others: ${await t.notes()}`);
}

async function brush(bare, want, figure) {
  const t = tools(bare);
  const n = figure.axes[2].source;
  await open(bare, figure);
  await t.press('ArrowDown', 'ArrowDown', 'ArrowRight', 'Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowRight', 'Enter');
  want((await t.notes()).includes(`places 1–3 → 1–2 of ${n} × ${n}`), `Shift and arrows choose rows 1 to 3 and columns 1 to 2: ${await t.notes()}`);
  await t.press('Escape');
  want(!(await t.notes()).includes('places'), 'Escape zooms out');
  const box = await t.canvas().boundingBox();
  await t.page.mouse.move(box.x + box.width * 0.3, box.y + box.height * 0.4);
  const begin = parse(await t.said());
  await t.page.mouse.down();
  await t.page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.6, { steps: 4 });
  const end = parse(await t.said());
  await t.page.mouse.up();
  const place = (axis, label, told) => told ?? String(figure.axes[axis].labels.indexOf(label));
  const wanted = `places ${place(2, begin.from, begin.row)}–${place(2, end.from, end.row)} → ${place(3, begin.to, begin.column)}–${place(3, end.to, end.column)} of`;
  want((await t.notes()).includes(wanted), `a drag chooses ${wanted}: ${await t.notes()}`);
  await t.button('zoom out').click();
  want(!(await t.notes()).includes('places'), 'the button zooms out');
}

/** 62 words: the grid is pooled, heads that stand out are whole; each alone is sent exactly. */
async function longText(bare, want, figures) {
  const t = tools(bare);
  const words = Array.from({ length: 62 }, (_none, i) => ['red', 'cat', 'tree', 'of', 'sun'][(i * i + 3 * i) % 5]).join(' ');
  const [grid] = await figures(`%model load minilm\n# %%\n%%attention\n${words}\n`);
  want(grid.values.encoding === 'u8' && grid.axes[2].block > 1, 'the heads of a long text are pooled');
  const [layer, head] = grid.whole[0].at;
  const [alone] = await figures(`%model load minilm\n# %%\n%%attention --layer ${layer} --head ${head}\n${words}\n`);
  const exact = decode(alone)[0];
  await open(bare, grid);
  const to = layer * grid.axes[1].count + head;
  await t.press('Home', ...Array(layer).fill('ArrowDown'), ...Array(head).fill('ArrowRight'), 'Enter');
  want((await t.heading()) === `layer ${layer} head ${head}`, `panel ${to} is open: ${await t.heading()}`);
  want((await t.notes()).includes('rounded to 1/255'), `it is whole, and said to be rounded: ${await t.notes()}`);
  await t.press('ArrowRight');
  for (let i = 0; i < 6; i++, await t.press('ArrowDown', 'ArrowRight')) {
    const told = parse(await t.said());
    want(Math.abs(told.value - exact[i][i]) <= 0.5 / 255 + 6e-4, `about ${exact[i][i]}: ${await t.said()}`);
  }
  const missing = Array.from({ length: 72 }, (_none, i) => i).find(i => !grid.whole.some(({ at }) => at[0] * 12 + at[1] === i));
  if (missing !== undefined) {
    await t.choose('layer', String(Math.floor(missing / 12)));
    await t.choose('head', String(missing % 12));
    want((await t.notes()).includes('each cell the strongest of'), `another head is pooled and says so: ${await t.notes()}`);
  }
  await besidePools(bare, want, grid, exact);
  await tooLong(bare, want, grid);
  await open(bare, { ...grid, whole: [{ at: [layer, head], nibbles: 'AAAA' }] });
  await t.press('Home', ...Array(layer).fill('ArrowDown'), ...Array(head).fill('ArrowRight'), 'Enter');
  want((await t.notes()).includes('each cell the strongest of'), `where a file is damaged, the pools are shown: ${await t.notes()}`);
  return grid;
}

/** The kernel's exact numbers take the place of saved ones. */
async function kernel(bare, want, grid) {
  const t = tools(bare);
  const n = grid.axes[2].source;
  const values = Array.from({ length: n * n }, (_none, i) => ((i * 7919) % 10007) / 10007);
  const [layer, head] = grid.whole[0].at;
  const figure = { ...grid, result: grid.result ?? '0123456789abcdef' };
  const tiles = { [`attention/${layer}/${head}`]: { shape: [n, n], values } };
  await open(bare, figure, { tiles });
  await t.press('Home', ...Array(layer).fill('ArrowDown'), ...Array(head).fill('ArrowRight'), 'Enter', 'ArrowRight', 'ArrowDown');
  await t.page.waitForFunction(() => document.querySelector('.cutaway-host').innerText.includes('exact values'));
  want(parse(await t.said()).value === shown(Math.fround(values[n])), `the kernel's value is told: ${await t.said()}`);
  await t.press('ArrowRight');
  want(parse(await t.said()).value === shown(Math.fround(values[n + 1])), `and the next one: ${await t.said()}`);
  await t.press('PageDown');
  await t.page.waitForFunction(() => document.querySelector('.cutaway-host').innerText.includes('the kernel gave no exact values'));
  want((await t.notes()).includes('saved values'), `where the kernel fails, the saved values stay: ${await t.notes()}`);
}

/** What is open stays open in another theme and language. */
async function themes(bare, want, figure, heads) {
  const t = tools(bare);
  await open(bare, figure);
  await t.press('ArrowRight', 'Enter');
  await t.page.evaluate(() => window.view.change({ dark: true, still: true, language: 'zh', kernel: null }));
  await t.page.evaluate(() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  want((await t.heading()) === '第 0 层第 0 头', `in Chinese and dark: ${await t.heading()}`);
  await t.canvas().focus();
  await t.press('ArrowRight', 'ArrowRight');
  want((await t.said()).includes(shown(heads[0][0][1])), `the values are the same: ${await t.said()}`);
  const broken = structuredClone(figure);
  const bytes = Buffer.from(broken.values.base64, 'base64');
  bytes.writeFloatLE(NaN, 4);
  broken.values.base64 = bytes.toString('base64');
  await open(bare, broken, { dark: true });
  await t.press('ArrowRight', 'Enter', 'ArrowRight', 'ArrowRight');
  want(parse(await t.said()).value === 'NaN', `what is no number is told as that: ${await t.said()}`);
}

async function refused(bare, want, figure) {
  for (const spoil of [of => (of.values.shape[3] += 1), of => (of.axes[2].labels = ['a']), of => (of.scale.high = of.scale.low), of => (of.axes[0].count = 1e9), of => (of.scores[0].values.base64 = 'AAAA')]) {
    const spoiled = structuredClone(figure);
    spoil(spoiled);
    const error = await bare.show(spoiled).then(() => '', error => String(error));
    want(error.includes('Error:'), `a figure that contradicts itself is refused: ${spoil}`);
  }
}

export default async function heatmap(bare, want, figures) {
  const [grid] = await figures(`%model load minilm\n# %%\n%%attention --layer 0\n${TEXT}\n`);
  const [one] = await figures(`%model load minilm\n# %%\n%%attention --layer 4 --head 9\n${TEXT}\n`);
  const [heads, alone] = [decode(grid), decode(one)];
  await overview(bare, want, grid, heads);
  await oneHead(bare, want, grid, heads);
  await mouse(bare, want, one, alone);
  await narrow(bare, want, one, alone);
  await equal(bare, want, one);
  await sinks(bare, want, one, alone);
  await lines(bare, want, one, alone);
  await everyHead(bare, want, grid, heads);
  await brush(bare, want, one);
  await themes(bare, want, grid, heads);
  await kernel(bare, want, await longText(bare, want, figures));
  await refused(bare, want, grid);
  const words = Array.from({ length: 510 }, (_none, i) => ['red', 'cat', 'tree', 'of', 'sun'][(i * i + 3 * i) % 5]).join(' ');
  const [long] = await figures(`%model load minilm\n# %%\n%%attention\n${words}\n`);
  want(JSON.stringify(long).length < 1e6, 'the heads of 512 tokens are less than a megabyte');
  const wide = structuredClone(long);
  const times = [];
  for (let i = 0; i < 5; i++) times.push(await bare.show(wide));
  console.log(`heatmap: 512 tokens, ${long.axes[0].count} × ${long.axes[1].count} heads drawn in ${times.map(ms => ms.toFixed(0)).join(', ')} ms`);
}
