/** Which notebooks have a kernel of ours, and the line to each: one for the panel, the views and the settings. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { KernelComm } from './comm.js';
import { settings } from './settings.js';
import { surroundings } from './surroundings.js';

export class Kernels {
  /** The notebooks' connections to kernels of ours. */
  private readonly connections = new Set<Kernel.IKernelConnection>();
  /** Of several connections to one kernel, one has the line. It may be one that we opened. */
  private readonly comms = new Map<Kernel.IKernelConnection, KernelComm>();
  private readonly listeners = new Set<() => void>();

  constructor(tracker: INotebookTracker) {
    tracker.forEach(notebook => this.watch(notebook));
    tracker.widgetAdded.connect((_, notebook) => this.watch(notebook));
    surroundings.kernelOf = node => {
      const notebook = tracker.find(one => one.node.contains(node));
      return notebook ? this.of(notebook) : null;
    };
    settings.listen(changed => {
      for (const comm of this.comms.values()) {
        changed.forEach(name => settings.send(comm, name));
      }
    });
  }

  /** The line to the notebook's kernel; null if it has none, or it is no Cutaway. */
  of(notebook: NotebookPanel | null): KernelComm | null {
    const kernel = notebook?.sessionContext.session?.kernel;
    if (!kernel) {
      return null;
    }
    const first = this.spokenBy(kernel.id);
    return this.comms.get(kernel) ?? (first && this.comms.get(first)) ?? null;
  }

  connectionOf(notebook: NotebookPanel | null): Kernel.IKernelConnection | null {
    return notebook?.sessionContext.session?.kernel ?? null;
  }

  /** Called when a notebook's kernel has come or gone. */
  listen(listener: () => void): void {
    this.listeners.add(listener);
  }

  private watch(notebook: NotebookPanel): void {
    const follow = () => {
      const kernel = notebook.sessionContext.session?.kernel;
      if (kernel) {
        void this.meet(kernel);
      } else {
        this.changed();
      }
    };
    notebook.sessionContext.kernelChanged.connect(follow);
    follow();
  }

  private async meet(kernel: Kernel.IKernelConnection): Promise<void> {
    const ours = await kernel.info.then(
      info => info.language_info.name === 'cutaway',
      () => false /* it ended before it said what it is */
    );
    if (ours && !kernel.isDisposed && !this.connections.has(kernel)) {
      this.connections.add(kernel);
      kernel.disposed.connect(() => {
        this.connections.delete(kernel);
        this.comms.delete(kernel);
        this.changed();
        queueMicrotask(() => this.leave(kernel.id)); /* a kernel that ends disposes of all its connections */
      });
      if (kernel.handleComms) {
        this.speak(kernel);
      }
    }
    this.changed();
  }

  /** The connection that has the line to that kernel. */
  private spokenBy(id: string): Kernel.IKernelConnection | undefined {
    return [...this.comms.keys()].find(one => one.id === id);
  }

  private speak(kernel: Kernel.IKernelConnection): void {
    const comm = new KernelComm(kernel);
    this.comms.set(kernel, comm);
    kernel.disposed.connect(() => this.comms.delete(kernel));
    this.tellAfterRestarts(kernel, comm);
    settings.tell(comm);
  }

  /**
   * A notebook has left this kernel. The application lets the first connection to a kernel alone have comms, and the
   * others not even when that one has closed: where it had the line, those that stay get one by a connection of ours.
   */
  private leave(id: string): void {
    const heir = [...this.connections].find(one => one.id === id);
    const speaker = this.spokenBy(id);
    if (heir && !speaker) {
      this.speak(heir.handleComms ? heir : heir.clone({ handleComms: true }));
      this.changed();
    } else if (!heir) {
      speaker?.dispose();
    }
  }

  /** A kernel that restarts has forgotten the settings. */
  private tellAfterRestarts(kernel: Kernel.IKernelConnection, comm: KernelComm): void {
    let restarts = false;
    kernel.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting') {
        restarts = true;
      } else if (restarts && status === 'idle') {
        restarts = false;
        settings.tell(comm);
      }
    });
  }

  private changed(): void {
    this.listeners.forEach(listener => listener());
    surroundings.changed();
  }
}
