// comm.mjs LIB: the extension's end of the line to the kernel (lab/src/comm.ts and panel-kernels.ts, compiled
// into the folder LIB) against a kernel connection of our own, which behaves as JupyterLab's does. Ends with
// "N passed, N failed".
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The modules, from a folder that says that it holds modules: the extension's own does not. The reader's choices and
 *  what the renderers know of the application are not there. */
async function load(lib) {
  const folder = mkdtempSync(join(tmpdir(), 'cutaway-comm-'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'settings.js'), 'export const settings = { listen() {}, tell() {}, send() {} };');
  writeFileSync(join(folder, 'surroundings.js'), 'export const surroundings = { changed() {} };');
  ['comm.js', 'reader.js', 'panel-kernels.js'].forEach(name => copyFileSync(join(lib, name), join(folder, name)));
  try {
    const from = name => import(pathToFileURL(join(folder, name)).href);
    return { ...(await from('comm.js')), ...(await from('panel-kernels.js')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { KernelComm, Kernels } = await load(process.argv[2]);
console.warn = () => undefined; // what is not told is warned of

class Signal {
  slots = [];
  connect(slot, self) {
    this.slots.push({ slot, self });
  }
  disconnect(slot, self) {
    this.slots = this.slots.filter(one => one.slot !== slot || one.self !== self);
  }
  emit() {
    this.slots.forEach(({ slot, self }) => slot.call(self));
  }
}

class FakeKernel {
  status = 'idle';
  connectionStatus = 'connected';
  isDisposed = false;
  statusChanged = new Signal();
  connectionStatusChanged = new Signal();
  disposed = new Signal();
  comms = [];
  refuses = false;

  createComm(target) {
    if (this.refuses) throw new Error('Comms are disabled on this kernel connection');
    const comm = {
      target, isDisposed: false, asked: [], opened: 0, closed: 0,
      open() { this.opened++; },
      send(data) { if (this.isDisposed) throw new Error('Cannot send'); this.asked.push(data); },
      close() { this.closed++; this.dispose(); this.onClose?.({}); },
      dispose() { this.isDisposed = true; },
      answer(data, buffers) { this.onMsg({ content: { data }, buffers }); }
    };
    this.comms.push(comm);
    return comm;
  }
  become(status) {
    this.status = status;
    if (status === 'restarting') this.comms.forEach(comm => comm.dispose());
    this.statusChanged.emit();
  }
}

const STATE = {
  models: [{ handle: 'm', name: 'mini', arch: 'bert', dtype: 'F32', parameters: 5, path: '~/m', mapped: 7, inUse: true }],
  results: [{ name: '_', kind: 'table', title: 't', bytes: 9 }],
  settings: { theme: 'dark', seed: '7' },
  running: { code: '%x', seconds: 1.5, progress: { what: 'reading', done: 1, total: 0, eta: null } }
};
let passed = 0, failed = 0;

function want(held, text) {
  if (!held) throw new Error(text);
}

/** Why the promise was rejected. */
const why = promise => promise.then(() => 'it was not rejected', error => error.message);

async function test(name, act) {
  const kernel = new FakeKernel();
  const line = new KernelComm(kernel);
  try {
    await act({ kernel, line, comm: i => kernel.comms[i ?? kernel.comms.length - 1] });
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}

await test('nothing is opened before it is needed, and then one comm', async ({ kernel, line, comm }) => {
  want(kernel.comms.length === 0, 'opened early');
  const both = [line.state(), line.set('theme', 'dark')];
  want(kernel.comms.length === 1 && comm().opened === 1 && comm().target === 'cutaway', 'not one comm');
  want(JSON.stringify(comm().asked) === '[{"id":1,"ask":"state"},{"id":2,"ask":"set","name":"theme","value":"dark"}]', JSON.stringify(comm().asked));
  comm().answer({ id: 2, ok: true });
  comm().answer({ id: 1, ok: true, ...STATE });
  want(JSON.stringify((await Promise.all(both))[0]) === JSON.stringify(STATE), 'another state');
});

await test('what the kernel refuses is rejected with its sentence', async ({ line, comm }) => {
  const asked = [line.sites('x'), line.tile('0', 's', []), line.state()];
  comm().answer({ id: 1, ok: false, error: 'no model is loaded' });
  comm().answer({ id: 2, ok: 'true' });
  comm().answer({ id: 3, ok: true, models: 'x' });
  want(await why(asked[0]) === 'no model is loaded', await why(asked[0]));
  want(await why(asked[1]) === 'the kernel gave no reason', await why(asked[1]));
  want((await why(asked[2])).includes('models is not a list'), await why(asked[2]));
});

await test('sites are read with care', async ({ line, comm }) => {
  const good = line.sites('m'), bad = line.sites('m');
  comm().answer({ id: 1, ok: true, sites: [{ name: 'logits', site: 'logits', layer: null, shape: 'x' }, { name: 'a', layer: 3 }] });
  comm().answer({ id: 2, ok: true, sites: [{ name: 7 }] });
  const [first, second] = await good;
  want(first.layer === null && second.layer === 3 && second.shape === '', 'other sites');
  want((await why(bad)).includes('name is not a text'), await why(bad));
});

await test('tiles are exact, wherever their bytes lie', async ({ line, comm }) => {
  const numbers = Float32Array.from([0.1, -2, NaN, Infinity, 1e-40, 6]);
  const odd = new Uint8Array(4 * 6 + 3);
  odd.set(new Uint8Array(numbers.buffer), 3);
  for (const buffer of [numbers.buffer, new DataView(odd.buffer, 3, 24)]) {
    const tile = line.tile('0123456789abcdef', 'x', [1]);
    comm().answer({ id: comm().asked.length, ok: true, shape: [2, 3] }, [buffer]);
    const { shape, values } = await tile;
    want(shape.join() === '2,3' && values.every((value, i) => Object.is(value, numbers[i])), `${values}`);
  }
});

await test('tiles whose bytes are not those of their shape are refused', async ({ line, comm }) => {
  const cases = [[[2, 3], [new ArrayBuffer(20)]], [[2, 3], []], [[2, 3], undefined], [[-2, -3], [new ArrayBuffer(24)]],
                 [[1.5, 4], [new ArrayBuffer(24)]], [[null], [new ArrayBuffer(4)]], [['6'], [new ArrayBuffer(24)]], [7, [new ArrayBuffer(28)]]];
  for (const [shape, buffers] of cases) {
    const tile = line.tile('0', 'x', []);
    comm().answer({ id: comm().asked.length, ok: true, shape }, buffers);
    want(/the kernel sent|shape/.test(await why(tile)), await why(tile));
  }
});

await test('answers to nothing, and what is no object, are left aside', async ({ line, comm }) => {
  const state = line.state();
  for (const data of [{ id: 99, ok: true }, { id: '1', ok: true }, {}, { id: null }, null, 7, 'x', [], { event: 7 }, { event: 'state', models: 3 }, { event: 'other' }]) {
    comm().answer(data);
  }
  comm().answer({ id: 1, ok: true, ...STATE });
  want((await state).models.length === 1, 'not answered');
});

await test('events come to who listens, until that is ended', async ({ kernel, line, comm }) => {
  const heard = [];
  const end = line.onEvent(event => heard.push(event));
  want(kernel.comms.length === 1 && comm().asked.length === 0, 'no comm, or a question');
  comm().answer({ event: 'state', ...STATE });
  comm().answer({ event: 'progress', what: 'w', done: 3, total: 4, eta: 1.5 });
  end();
  comm().answer({ event: 'progress', what: 'w', done: 4, total: 4, eta: 0 });
  want(heard.length === 2 && heard[0].state.running.code === '%x' && heard[1].progress.eta === 1.5, JSON.stringify(heard));
});

await test('a restart rejects what waits and opens again for who listens', async ({ kernel, line, comm }) => {
  const heard = [];
  line.onEvent(event => heard.push(event.event));
  const lost = line.tile('0', 'x', []);
  kernel.become('restarting');
  want((await why(lost)).includes('the kernel has ended'), await why(lost));
  want(await why(line.state()) === 'the kernel is not running', 'asked of no kernel');
  kernel.become('starting');
  want(kernel.comms.length === 1, 'too early');
  kernel.become('idle');
  want(kernel.comms.length === 2 && comm().asked[0].ask === 'state', 'not opened again');
  comm().answer({ id: comm().asked[0].id, ok: true, ...STATE });
  await new Promise(setImmediate);
  want(heard.join() === 'gone,state', heard.join());
  comm(0).answer({ event: 'state', ...STATE });
  want(heard.length === 2, 'the old comm is still heard');
});

await test('a restart opens nothing where nobody listens', async ({ kernel, line, comm }) => {
  const lost = line.state();
  kernel.become('autorestarting');
  await why(lost);
  kernel.become('idle');
  want(kernel.comms.length === 1, 'opened');
  const state = line.state();
  comm().answer({ id: 2, ok: true, ...STATE });
  want(kernel.comms.length === 2 && (await state).models.length === 1, 'not opened with the next question');
});

await test('a comm that the kernel closes rejects what waits; the next question opens another', async ({ kernel, line, comm }) => {
  const lost = line.state();
  comm().onClose({});
  want(await why(lost) === 'the kernel closed the line', await why(lost));
  const state = line.state();
  want(kernel.comms.length === 2, 'not opened again');
  comm().answer({ id: 2, ok: true, ...STATE });
  await state;
});

await test('a broken connection rejects what waits and keeps the comm', async ({ kernel, line, comm }) => {
  const lost = line.state();
  kernel.connectionStatus = 'connecting';
  kernel.connectionStatusChanged.emit();
  want((await why(lost)).includes('broke'), await why(lost));
  kernel.connectionStatus = 'connected';
  kernel.connectionStatusChanged.emit();
  const state = line.state();
  want(kernel.comms.length === 1, 'another comm');
  comm().answer({ id: 2, ok: true, ...STATE });
  await state;
});

await test('disposing closes the comm, rejects, and lets go of the kernel', async ({ kernel, line, comm }) => {
  const heard = [];
  line.onEvent(event => heard.push(event.event));
  const lost = line.state();
  line.dispose();
  line.dispose();
  want((await why(lost)).includes('was closed') && comm().closed === 1, 'not closed once');
  want(heard.join() === 'gone', heard.join());
  want(['statusChanged', 'connectionStatusChanged', 'disposed'].every(name => kernel[name].slots.length === 0), 'still connected');
  want(await why(line.state()) === 'the kernel is not running', 'asks on');
});

await test('a kernel connection without comms is an answer, not a crash', async ({ kernel, line }) => {
  kernel.refuses = true;
  line.onEvent(() => undefined);
  want((await why(line.state())).includes('disabled'), 'not rejected');
  want((await why(line.tile('0', 'x', [0]))).includes('disabled'), 'not rejected');
});

/** Notebooks on one kernel, the first of whose connections alone has comms. */
function notebooksOn(count) {
  const clones = [];
  const notebooks = Array.from({ length: count }, (_, i) => {
    const kernel = new FakeKernel();
    Object.assign(kernel, {
      id: 'one', handleComms: i === 0, refuses: i > 0, info: Promise.resolve({ language_info: { name: 'cutaway' } }),
      clone({ handleComms }) {
        const clone = Object.assign(new FakeKernel(), { id: 'one', handleComms, refuses: !handleComms });
        clone.dispose = () => { clone.isDisposed = true; clone.disposed.emit(); };
        clones.push(clone);
        return clone;
      },
      dispose() { kernel.isDisposed = true; kernel.disposed.emit(); }
    });
    return { node: {}, sessionContext: { session: { kernel }, kernelChanged: new Signal() } };
  });
  const tracker = { forEach: act => notebooks.forEach(act), find: () => null, widgetAdded: new Signal() };
  const close = notebook => {
    const { kernel } = notebook.sessionContext.session;
    notebook.sessionContext.session = null;
    kernel.dispose();
  };
  return { kernels: new Kernels(tracker), notebooks, clones, close };
}

const soon = () => new Promise(resolve => setTimeout(resolve, 0));

await test('a notebook keeps its line when another on the same kernel closes', async () => {
  const { kernels, notebooks, clones, close } = notebooksOn(3);
  await soon();
  const line = kernels.of(notebooks[0]);
  want(line && notebooks.every(one => kernels.of(one) === line), 'not one line for all');
  close(notebooks[0]);
  await soon();
  const next = kernels.of(notebooks[1]);
  want(next && next !== line && kernels.of(notebooks[2]) === next && clones.length === 1, 'no line for those that stay');
  next.state().catch(() => undefined);
  want(clones[0].comms.length === 1, 'the line does not reach the kernel');
  close(notebooks[1]);
  await soon();
  want(kernels.of(notebooks[2]) === next && !clones[0].isDisposed, 'another line where none was lost');
  close(notebooks[2]);
  await soon();
  want(clones.length === 1 && clones[0].isDisposed, 'our own connection stays for nobody');
});

await test('a kernel that ends with all its notebooks gets no new line', async () => {
  const { kernels, notebooks, clones, close } = notebooksOn(2);
  await soon();
  notebooks.forEach(close);
  await soon();
  want(clones.length === 0 && notebooks.every(one => kernels.of(one) === null), 'a line to nobody');
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
