// tokens.mjs: coloured text under the mouse and the keys, against numbers decoded and summed here.

const TEXT = 'The cat sat, unbelievably happy; 今天天气很好，我们走吧。 Is it 1,000? Yes.';

/** Floats of {"encoding": "f32", "base64"}. */
const floats = ({ base64 }) => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_none, i) => bytes.readFloatLE(4 * i));
};
const encode = values => ({ encoding: 'f32', shape: [values.length], base64: Buffer.from(Float32Array.from(values).buffer).toString('base64') });
const said4 = value => (Number.isInteger(value) ? String(value) : String(+value.toPrecision(4)));
const number = said => Number(/(?:surprisal|surprisal, sum) (-?[\d.e-]+) bits/.exec(said)?.[1]);

async function open(bare, figure, how) {
  await bare.show(figure, how);
  await bare.page.locator('.cutaway-text').focus();
}

/** What is said of every unit, from the first to the last. */
async function walk(bare) {
  const all = [];
  await bare.page.keyboard.press('Home');
  for (let before = ''; before !== (await bare.said());) {
    before = await bare.said();
    all.push(before);
    await bare.page.keyboard.press('ArrowRight');
  }
  return all;
}

async function tokensTell(bare, want, figure) {
  const values = floats(figure.series[0].values);
  const said = await walk(bare);
  want(said.length === values.length, `${said.length} tokens are walked, not ${values.length}`);
  values.forEach((value, i) => want(Number.isNaN(value) ? said[i].includes('no value') : said[i].includes(`surprisal ${said4(value)} bits`), `token ${i}, ${value}: ${said[i]}`));
  const highest = values.indexOf(Math.max(...values.filter(Number.isFinite)));
  await bare.page.keyboard.press('Escape');
  await bare.page.getByRole('button', { name: 'next highest' }).click();
  await bare.page.locator('.cutaway-text').focus();
  await bare.page.keyboard.press('n');
  await bare.page.keyboard.press('p');
  await bare.page.keyboard.press('Home');
  await bare.page.keyboard.press('n');
  want((await bare.said()).startsWith(figure.tokens[highest]), `n leads to ${await bare.said()}, not to ${figure.tokens[highest]}`);
}

/** Sums over words and clauses are those of their tokens, and the text stands as it is. */
async function unitsAddUp(bare, want, figure) {
  const values = floats(figure.series[0].values);
  const words = floats(figure.words);
  const sums = new Map();
  words.forEach((word, i) => sums.set(word, (sums.get(word) ?? 0) + (Number.isNaN(values[i]) ? 0 : values[i])));
  await bare.page.getByLabel('in units of').selectOption('word');
  await bare.page.locator('.cutaway-text').focus();
  const said = await walk(bare);
  want(said.length === sums.size, `${said.length} words, not ${sums.size}`);
  [...sums.values()].forEach((sum, i) => i > 0 && want(Math.abs(number(said[i]) - sum) <= 6e-4 * sum, `word ${i} is said ${said[i]}, its tokens have ${sum}`));
  await bare.page.getByLabel('in units of').selectOption('clause');
  await bare.page.locator('.cutaway-text').focus();
  const clauses = await walk(bare);
  const texts = (await bare.page.locator('.cutaway-text .cutaway-token').allTextContents()).map(text => text.trim());
  want(texts.join('|') === 'The cat sat,|unbelievably happy;|今天天气很好，|我们走吧。|Is it 1,000?|Yes.', `clauses: ${texts.join('|')}`);
  const all = values.reduce((sum, value) => sum + (value || 0), 0);
  const told = clauses.reduce((sum, text) => sum + number(text), 0);
  want(Math.abs(told - all) < 1e-3 * all, `the clauses have ${told} bits, the tokens ${all}`);
  const text = await bare.page.locator('.cutaway-text').textContent();
  want(text.trim() === TEXT, `the text became ${text}`);
}

async function thresholdGreys(bare, want, figure) {
  await bare.page.getByLabel('in units of').selectOption('token');
  await bare.page.getByLabel('grey below').fill('100');
  const left = await bare.page.locator('.cutaway-token').evaluateAll(nodes => nodes.filter(node => !/rgba\(0, 0, 0, 0\)/.test(getComputedStyle(node).backgroundColor)).length);
  const nothing = floats(figure.series[0].values).filter(Number.isNaN).length;
  want(left === 1 + nothing, `at the top of the scale ${left} tokens have a colour`);
  await bare.page.getByLabel('grey below').fill('0');
}

/** The contrast of every token's letters with what is under them. */
async function lettersCanBeRead(bare, want, where) {
  const least = await bare.page.locator('.cutaway-token').evaluateAll(nodes => {
    const light = text => text.match(/[\d.]+/g).slice(0, 3).map(Number).map(byte => byte / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    return Math.min(...nodes.map(node => {
      const { color, backgroundColor } = getComputedStyle(node);
      const [a, b] = [light(color), light(backgroundColor)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    }));
  });
  want(least >= 4.5, `${where}: the contrast of some letters is ${least.toFixed(2)}`);
}

const made = (text, pieces) => {
  const bytes = Buffer.from(text);
  let at = 0;
  const span = pieces.flatMap(piece => {
    const begin = bytes.indexOf(piece, at);
    at = begin + Buffer.byteLength(piece);
    return [begin, at];
  });
  const series = { name: 'surprisal', unit: 'bits', adds: 'sum', signed: false, low: 0, high: 10, colours: ['#f9fbf6', '#0083af', '#211d39'], values: encode(pieces.map((_none, i) => i % 10)) };
  return {
    schema: 'cutaway.tokens.v1', language: 'en', title: 'Made', note: '', finding: '', caption: '', alt: 'Made', provenance: '',
    text, named: false, count: pieces.length, axis: 'token', one: 'token', tokens: pieces, span: { ...encode(span), shape: [pieces.length, 2] }, series: [series]
  };
};

/** Words of Hebrew stand from right to left, and the keys lead through them in the order of the text. */
async function scriptsTurn(bare, want) {
  await open(bare, made('abc אבג דהו z', ['abc', 'אבג', 'דהו', 'z']));
  const left = await bare.page.locator('.cutaway-token').evaluateAll(nodes => nodes.map(node => node.getBoundingClientRect().left));
  want(left[0] < left[2] && left[2] < left[1] && left[1] < left[3], `the tokens stand at ${left.map(Math.round)}`);
  const said = await walk(bare);
  want(said.map(text => text.split(' · ')[0]).join() === 'abc,אבג,דהו,z', `the keys lead through ${said.join()}`);
}

async function longTextsWork(bare, want) {
  const pieces = Array.from({ length: 4000 }, (_none, i) => `w${i}`);
  await open(bare, made(pieces.map((piece, i) => piece + (i % 15 === 14 ? '.\n' : ' ')).join(''), pieces));
  await bare.page.keyboard.press('End');
  want((await bare.said()).startsWith('w3999 · token 4000 of 4000 · surprisal 9 bits'), `at the end: ${await bare.said()}`);
  const seen = await bare.page.evaluate(() => {
    const box = document.querySelector('.cutaway-text').getBoundingClientRect();
    const node = document.querySelector('.cutaway-current').getBoundingClientRect();
    return node.top >= box.top && node.bottom <= box.bottom + 1;
  });
  want(seen, 'the last token is out of sight');
  await bare.page.keyboard.press('ArrowUp');
  want(/^w39[78]\d/.test(await bare.said()), `a line up: ${await bare.said()}`);
}

export default async function tokens(bare, want, figures) {
  const figure = (await figures(`%model load smollm2\n# %%\n%%surprisal --view text\n${TEXT}`)).find(one => one.schema === 'cutaway.tokens.v1');
  for (const dark of [false, true]) {
    await bare.page.mouse.move(990, 2);
    await open(bare, { ...figure }, { dark });
    await tokensTell(bare, want, figure);
    await lettersCanBeRead(bare, want, dark ? 'dark' : 'light');
    await unitsAddUp(bare, want, figure);
    await thresholdGreys(bare, want, figure);
  }
  const [named] = await figures(`%model load smollm2\n# %%\n%%tokens\n${TEXT}`);
  await open(bare, named, { dark: true });
  await lettersCanBeRead(bare, want, 'names in the dark');
  const ids = floats(named.series[0].values);
  (await walk(bare)).forEach((said, i) => want(said.includes(`id ${ids[i]} `), `token ${i} has id ${ids[i]}: ${said}`));
  const token = bare.page.locator('.cutaway-token').nth(1);
  await token.hover();
  want((await bare.said()).includes(`id ${ids[1]} `), `the mouse is told ${await bare.said()}`);
  await token.click();
  want((await bare.page.locator('.cutaway-facts').innerText()).includes(String(ids[1])), 'a click does not pin what is told');
  await bare.show(named, { language: 'zh' });
  await bare.page.locator('.cutaway-text').focus();
  await bare.page.keyboard.press('Home');
  want((await bare.said()).includes('第 1 个词元'), `in Chinese: ${await bare.said()}`);
  await scriptsTurn(bare, want);
  await longTextsWork(bare, want);
}
