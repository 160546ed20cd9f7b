/**
 * The line to the living kernel: one comm on the target `cutaway` (kernel/front/comm.h says what goes over it).
 *
 * Views ask it for exact numbers, the side panel for what is loaded, kept and running. Every question is answered or
 * rejected: with the kernel's own sentence, or because the line was closed, the kernel ended or the connection broke.
 * There are no time-outs, as a cell may run for hours before numbers can be had. After a restart the line opens again
 * by itself where somebody listens, else with the next question.
 */
import type { Kernel as Jupyter, KernelMessage } from '@jupyterlab/services';
import { Reader } from './reader.js';
import type { Kernel } from './view.js';

const COMM_TARGET = 'cutaway';

export interface Model {
  readonly handle: string;
  readonly name: string;
  readonly arch: string;
  readonly dtype: string;
  readonly parameters: number;
  readonly path: string;
  /** Bytes of its files that are mapped. */
  readonly mapped: number;
  readonly inUse: boolean;
}

export interface KeptResult {
  readonly name: string;
  readonly kind: string;
  readonly title: string;
  readonly bytes: number;
}

export interface Progress {
  readonly what: string;
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
  /** Seconds; null: not known. */
  readonly eta: number | null;
}

export interface Running {
  /** The cell's first line. */
  readonly code: string;
  readonly seconds: number;
  readonly progress: Progress | null;
}

export interface State {
  readonly models: readonly Model[];
  readonly results: readonly KeptResult[];
  /** "language", "theme", "colours", "seed", "time". */
  readonly settings: Readonly<Record<string, string>>;
  readonly running: Running | null;
}

export interface Site {
  readonly name: string;
  readonly site: string;
  /** null: there is only one in the model. */
  readonly layer: number | null;
  readonly shape: string;
}

export type KernelEvent =
  | { readonly event: 'state'; readonly state: State }
  | { readonly event: 'progress'; readonly progress: Progress }
  /** The line is closed: what was shown of the kernel holds no longer. */
  | { readonly event: 'gone'; readonly why: string };

type KernelListener = (event: KernelEvent) => void;

interface Answer {
  readonly data: Reader;
  readonly buffers: readonly (ArrayBuffer | ArrayBufferView)[];
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** States in which the kernel process that knew the comm is gone, or about to go. */
const ENDED: readonly string[] = ['restarting', 'autorestarting', 'terminating', 'dead'];

export class KernelComm implements Kernel {
  private comm: Jupyter.IComm | null = null;
  private lastId = 0;
  private isGone = false;
  /** The comm has had a message: where it is closed then, its process has gone, and another may be there. */
  private isHeard = false;
  private isDisposed = false;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Set<KernelListener>();

  constructor(private readonly kernel: Jupyter.IKernelConnection) {
    kernel.statusChanged.connect(this.onStatus, this);
    kernel.connectionStatusChanged.connect(this.onConnection, this);
    kernel.disposed.connect(this.dispose, this);
  }

  async state(): Promise<State> {
    return readState((await this.ask('state')).data);
  }

  async sites(handle: string): Promise<Site[]> {
    const { data } = await this.ask('sites', { handle });
    return data.objects('sites').map(site => ({
      name: site.text('name'),
      site: site.text('site', ''),
      layer: site.has('layer') ? site.count('layer') : null,
      shape: site.text('shape', '')
    }));
  }

  /** As `%set NAME VALUE`; it takes effect in the next cell. */
  async set(name: string, value: string): Promise<void> {
    await this.ask('set', { name, value });
  }

  async tile(result: string, series: string, at: readonly number[]): Promise<{ shape: number[]; values: Float32Array }> {
    const { data, buffers } = await this.ask('tile', { result, series, at: [...at] });
    return readTile(data, buffers);
  }

  /** Tells what the kernel says by itself. Returns how to end that. A listener must not throw. */
  onEvent(listener: KernelListener): () => void {
    this.listeners.add(listener);
    this.tryOpen();
    return () => {
      this.listeners.delete(listener);
    };
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    this.kernel.statusChanged.disconnect(this.onStatus, this);
    this.kernel.connectionStatusChanged.disconnect(this.onConnection, this);
    this.kernel.disposed.disconnect(this.dispose, this);
    const comm = this.comm;
    this.drop('the line to the kernel was closed');
    this.listeners.clear();
    if (comm && !comm.isDisposed && !this.kernel.isDisposed) {
      comm.close();
    }
  }

  /** The open comm. Throws where the kernel cannot have one. */
  private open(): Jupyter.IComm {
    if (this.isDisposed || this.kernel.isDisposed || ENDED.includes(this.kernel.status)) {
      throw new Error('the kernel is not running');
    }
    if (this.comm && !this.comm.isDisposed) {
      return this.comm;
    }
    const comm = this.kernel.createComm(COMM_TARGET);
    comm.onMsg = message => this.onMessage(comm, message);
    comm.onClose = () => this.onClose(comm);
    this.comm = comm;
    this.isHeard = false;
    comm.open({});
    return comm;
  }

  private tryOpen(): void {
    try {
      this.open();
    } catch {
      /* the next question says why */
    }
  }

  private ask(name: string, more: Record<string, string | number[]> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      const comm = this.open();
      this.waiting.set(id, { resolve, reject });
      try {
        comm.send({ id, ask: name, ...more });
      } catch (error) {
        this.waiting.delete(id);
        throw error;
      }
    });
  }

  private onMessage(comm: Jupyter.IComm, message: KernelMessage.ICommMsgMsg): void {
    const sent: unknown = message.content.data;
    if (comm !== this.comm || typeof sent !== 'object' || sent === null) {
      return;
    }
    this.isHeard = true;
    const data = new Reader(sent as Record<string, unknown>, 'the answer');
    if (data.has('event')) {
      this.onPushed(data);
      return;
    }
    const id = data.of.id;
    const waiting = typeof id === 'number' ? this.waiting.get(id) : undefined;
    if (waiting) {
      this.waiting.delete(id as number);
      if (data.flag('ok')) {
        waiting.resolve({ data, buffers: message.buffers ?? [] });
      } else {
        waiting.reject(new Error(typeof data.of.error === 'string' ? data.of.error : 'the kernel gave no reason'));
      }
    }
  }

  /** What is not as it should be is not told. */
  private onPushed(data: Reader): void {
    try {
      if (data.text('event') === 'state') {
        this.tell({ event: 'state', state: readState(data) });
      } else if (data.text('event') === 'progress') {
        this.tell({ event: 'progress', progress: readProgress(data) });
      }
    } catch (error) {
      console.warn(error);
    }
  }

  private tell(event: KernelEvent): void {
    [...this.listeners].forEach(listener => listener(event));
  }

  private onClose(comm: Jupyter.IComm): void {
    if (comm === this.comm) {
      this.drop('the kernel closed the line');
      if (this.isHeard && !ENDED.includes(this.kernel.status)) {
        this.isHeard = false;
        this.greet();
      }
    }
  }

  private onStatus(): void {
    if (ENDED.includes(this.kernel.status)) {
      this.isGone = true;
      this.drop('the kernel has ended; run the cell again');
    } else if (this.isGone && this.kernel.status === 'idle') {
      this.isGone = false;
      this.greet();
    }
  }

  /** The new kernel process is there: who listens is told its state. */
  private greet(): void {
    if (this.listeners.size > 0) {
      this.state().then(
        state => this.tell({ event: 'state', state }),
        () => undefined
      );
    }
  }

  /** Answers that came while the connection was broken are lost. The comm itself lives on in the kernel, if that does. */
  private onConnection(): void {
    if (this.kernel.connectionStatus === 'connected') {
      this.greet();
    } else {
      this.rejectAll('the connection to the kernel broke');
    }
  }

  private rejectAll(why: string): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    all.forEach(waiting => waiting.reject(new Error(why)));
  }

  private drop(why: string): void {
    const was = this.comm;
    this.comm = null;
    this.rejectAll(why);
    if (was) {
      this.tell({ event: 'gone', why });
    }
  }
}

function readState(data: Reader): State {
  return {
    models: data.objects('models').map(readModel),
    results: data.objects('results').map(result => ({
      name: result.text('name'),
      kind: result.text('kind', ''),
      title: result.text('title', ''),
      bytes: result.number('bytes', 0)
    })),
    settings: readSettings(data.object('settings')),
    running: data.has('running') ? readRunning(data.object('running')) : null
  };
}

function readModel(model: Reader): Model {
  return {
    handle: model.text('handle'),
    name: model.text('name', ''),
    arch: model.text('arch', ''),
    dtype: model.text('dtype', ''),
    parameters: model.number('parameters', 0),
    path: model.text('path', ''),
    mapped: model.number('mapped', 0),
    inUse: model.flag('inUse')
  };
}

function readSettings(settings: Reader): Record<string, string> {
  return Object.fromEntries(Object.keys(settings.of).map(name => [name, settings.text(name)]));
}

function readRunning(running: Reader): Running {
  return {
    code: running.text('code'),
    seconds: running.number('seconds', 0),
    progress: running.has('progress') ? readProgress(running.object('progress')) : null
  };
}

function readProgress(progress: Reader): Progress {
  return {
    what: progress.text('what'),
    done: progress.number('done'),
    total: progress.number('total', 0),
    eta: progress.has('eta') ? progress.number('eta') : null
  };
}

/** Numbers that the kernel sent as bytes: as many as the shape says. */
function readTile(data: Reader, buffers: readonly (ArrayBuffer | ArrayBufferView)[]): { shape: number[]; values: Float32Array } {
  const shape = [...data.values('shape')];
  const count = shape.reduce((product, side) => product * side, 1);
  const sent = buffers[0];
  if (!sent || !shape.every(side => Number.isInteger(side) && side >= 0) || sent.byteLength !== 4 * count) {
    throw new Error(`the kernel sent ${sent ? sent.byteLength : 0} bytes for a shape of [${shape.join(', ')}]`);
  }
  const bytes = ArrayBuffer.isView(sent) ? new Uint8Array(sent.buffer, sent.byteOffset, sent.byteLength) : new Uint8Array(sent);
  return { shape, values: new Float32Array(bytes.slice().buffer) }; /* a copy, so that it is aligned */
}
