// hostile_pages.mjs: the HTML of every kind of picture, and what the program says of models, data and texts,
// with hostile texts everywhere: nothing runs, nothing but our elements is there, every text can be read.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bare as plain, BROKEN, canRead, HOSTILE, seenAs, watch } from '../hostile.mjs';

/** Runs in the page: what is there that is not ours, and all that can be read. */
function inspect() {
  const ELEMENTS = ' HTML HEAD META TITLE BODY DIV P IMG I B DETAILS SUMMARY TABLE THEAD TBODY TR TH TD ';
  const ATTRIBUTES = ' lang charset name content style class title alt width height src ';
  const foreign = [];
  for (const node of document.querySelectorAll('*')) {
    if (!ELEMENTS.includes(` ${node.tagName} `)) foreign.push(`<${node.tagName}>`);
    for (const { name, value } of node.attributes) {
      if (!ATTRIBUTES.includes(` ${name} `) || (name === 'name' && node.tagName !== 'META')) foreign.push(`${node.tagName} ${name}=${value}`);
      if (name === 'src' && !/^data:image\/png;base64,[A-Za-z0-9+/=]+$/.test(value)) foreign.push(`src=${value.slice(0, 40)}`);
      if (name === 'style' && /url|expression|import|behavior|binding|fixed|z-index/.test(value)) foreign.push(`style=${value}`);
      if (name === 'class' && !/^mathjax_ignore tex2jax_ignore cutaway-[0-9a-f]{8}$/.test(value)) foreign.push(`class=${value}`);
    }
  }
  const shape = root => [...root.querySelectorAll('*')].map(node => node.tagName).join();
  const again = document.createElement('div');
  again.innerHTML = document.body.innerHTML;
  const twice = document.createElement('div');
  twice.innerHTML = again.innerHTML;
  if (shape(again) !== shape(document.body) || shape(twice) !== shape(again)) foreign.push('another tree when it is read again');
  const texts = [document.title, document.body.textContent];
  document.querySelectorAll('[title], [alt]').forEach(node => texts.push(node.title, node.alt ?? ''));
  return { foreign, read: texts.join('\n') };
}

/** Opens pages one by one; returns what can be read in each. */
async function open(page, want, seen, files) {
  const read = {};
  for (const file of files) {
    await page.goto(pathToFileURL(file).href);
    const found = await page.evaluate(inspect);
    want(found.foreign.length === 0, `${file} has ${found.foreign.slice(0, 5).join(', ')}`);
    want(seen.length === 0, `${file}: ${seen.join('; ')}`);
    read[file] = plain(found.read);
  }
  return read;
}

/** Grids of heads pool their places; tracks draw as many tokens as their text, here the first one, has letters. */
const SOME = ['headgrid', 'tracks'];

/** Every kind of picture with every text, as label, name, title, unit, group, finding, model ... */
async function pictures(page, want, seen, build, folder) {
  const words = [...HOSTILE.map(text => Buffer.from(text)), ...BROKEN.map(([bytes]) => Buffer.from(bytes))];
  writeFileSync(join(folder, 'words'), Buffer.concat(words.flatMap(word => [word, Buffer.from([0])])));
  execFileSync(join(build, 'tests/browser/any_figures'), ['words', '.'], { cwd: folder });
  const files = readdirSync(folder).filter(name => name.endsWith('.html')).map(name => join(folder, name));
  const read = await open(page, want, seen, files);
  const shown = [...HOSTILE.map(seenAs), ...BROKEN.map(([, as]) => plain(as))];
  const kinds = [...new Set(files.map(file => /([a-z]+)-\d+\.html$/.exec(file)[1]))];
  want(kinds.length === 11, `pictures of ${kinds.length} kinds: ${kinds}`);
  const lost = kinds.filter(kind => !SOME.includes(kind)).flatMap(kind => {
    const all = files.filter(file => file.includes(`/${kind}-`)).map(file => read[file]).join('\n');
    return shown.filter(text => !canRead(all, text)).map(text => `${kind}: ${text}`);
  });
  want(lost.length === 0, `${lost.length} cannot be read: ${lost.slice(0, 40).join(' ; ')}`);
  const cut = shown.filter(text => !Object.values(read).some(all => all.includes(text)));
  want(cut.length === 0, `nowhere whole: ${cut.join(' ; ')}`);
  return files.length;
}

/** What may be the name of a model: without blanks and commas; quotation marks would end a word of a command. */
const names = HOSTILE.filter(text => /^[^-\s,"\\#%][^\s,"\\]*$/u.test(text)).slice(0, 40);

/** What may be a line of a cell's text. */
const lines = HOSTILE.filter(text => !/[\r\n\u0085\u2028\u2029]|^[#%]/.test(text) && text.trim());

const script = name => `%data "${name}" "<b>hostile.csv"
# %%
%data list
# %%
${names.map(text => `%model load minilm --as "${text}"`).join('\n# %%\n')}
# %%
%model list
# %%
%info
# %%
%%embed --of sentences
# <b>first</b>
${lines.slice(0, 140).join('\n')}
# </script><script>xss()</script>
${lines.slice(140).join('\n')}
# %%
%%neighbours
${lines.slice(0, 20).join('\n')}
# %%
%%attention --layer 0 --head 0
${lines.slice(40, 44).join(' ')}
# %%
%model load smollm2
# %%
%%tokens
${lines.slice(60, 90).join('\n')}
# %%
%%predict
${lines[0]}
`;

/** The program itself: names of files, data and models; texts from a file and from a cell. */
async function program(page, want, seen, figures, folder) {
  const csv = `text\n${HOSTILE.map(text => `"${text.replaceAll('"', '""')}"`).join('\n')}\n`;
  const pages = figures.pages(script('<img/src=x/onerror=xss()>'), { '<b>hostile.csv': csv });
  const files = pages.map((html, i) => {
    const file = join(folder, `said-${i}.html`);
    writeFileSync(file, `<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title><body>${html}</body></html>`);
    return file;
  });
  const all = Object.values(await open(page, want, seen, files)).join('\n');
  const lost = [...names, ...lines].map(seenAs).filter(text => !canRead(all, text));
  want(lost.length === 0, `${lost.length} that the program was given cannot be read: ${lost.slice(0, 40).join(' ; ')}`);
  return pages.length;
}

export default async function hostilePages(bare, want, figures) {
  const page = await bare.page.context().browser().newPage();
  page.setDefaultTimeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'cutaway-hostile-'));
  const seen = await watch(page, address => address.startsWith(pathToFileURL(folder).href) || /^(about:blank$|data:image\/png;)/.test(address));
  try {
    const drawn = await pictures(page, want, seen, figures.build, folder);
    const said = await program(page, want, seen, figures, folder);
    console.log(`${HOSTILE.length + BROKEN.length} hostile texts on ${drawn + said} pages: 0 ran`);
  } finally {
    await page.close();
    rmSync(folder, { recursive: true });
  }
}
