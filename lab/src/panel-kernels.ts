/** Which notebooks have a kernel of ours, and the line to each: one for the panel, the views and the settings. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { KernelComm } from './comm.js';
import { settings } from './settings.js';
import { surroundings } from './surroundings.js';

export class Kernels {
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
    /* Of several connections to one kernel, the application lets the first alone have comms. */
    const first = [...this.comms.keys()].find(one => one.id === kernel.id);
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
    if (ours && !kernel.isDisposed && kernel.handleComms && !this.comms.has(kernel)) {
      const comm = new KernelComm(kernel);
      this.comms.set(kernel, comm);
      kernel.disposed.connect(() => {
        this.comms.delete(kernel);
        this.changed();
      });
      this.tellAfterRestarts(kernel, comm);
      settings.tell(comm);
    }
    this.changed();
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
