// bare.mjs: one view of the extension in a bare page in headless Chromium, without JupyterLab.
//
//   const bare = await openBare(ROOT, PLAYWRIGHT);      // ROOT: of the repository, with lab/lib built
//   const ms = await bare.show(figure, { dark: true });  // figure: what the kernel sends, as an object
//   await bare.page.mouse.move(...); await bare.said();
//   await bare.close();
//
// As a program: node bare.mjs FIGURE.json OUT.png [dark] [zh] writes a screenshot.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname, extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };

/** A server of the files under lab/ and tests/browser/ alone, on loopback. */
function serve(root) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    try {
      if (!/^\/(lab\/(lib|style)|tests\/browser)\//.test(path)) throw new Error('not served');
      const bytes = await readFile(join(root, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise(done => server.listen(0, '127.0.0.1', () => done(server)));
}

export async function openBare(root, playwright = 'playwright-core', options = {}) {
  const { chromium } = await import(playwright);
  const server = await serve(root);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, ...options });
  page.setDefaultTimeout(120_000); /* of a slow and busy machine */
  const problems = [];
  page.on('console', message => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', error => problems.push(String(error)));
  const home = `http://127.0.0.1:${server.address().port}/`;
  page.on('request', request => request.url().startsWith(home) || /^(data|blob):/.test(request.url()) || problems.push(`asked for ${request.url()}`));
  await page.goto(`${home}tests/browser/view.html`);
  await page.waitForFunction('window.ready');
  return {
    page, problems,
    show: (figure, how = {}) => page.evaluate(([of, settings]) => window.show(of, settings), [figure, how]),
    said: () => page.locator('.cutaway-said').innerText(),
    close: async () => {
      await browser.close();
      server.close();
    }
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [figure, out, ...how] = process.argv.slice(2);
  const bare = await openBare(resolve(dirname(fileURLToPath(import.meta.url)), '../..'));
  const ms = await bare.show(JSON.parse(readFileSync(figure, 'utf8')), { dark: how.includes('dark'), language: how.includes('zh') ? 'zh' : '' });
  await bare.page.screenshot({ path: out, fullPage: true });
  console.log(`drawn in ${ms.toFixed(0)} ms`, ...bare.problems);
  await bare.close();
  process.exit(bare.problems.length ? 1 : 0);
}
