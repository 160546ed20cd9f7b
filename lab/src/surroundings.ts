/** What the renderers know of the application: set by the plugins of `index.ts`, used by `mime.ts`. */
import type { Around } from './frame.js';
import type { Kernel } from './view.js';

type Listener = () => void;

class Surroundings {
  /** Of those who read; '' leaves each figure its own. */
  language = '';
  /** The kernel of the notebook that holds the node; null also before the node is on the page. */
  kernelOf: (node: HTMLElement) => Kernel | null = () => null;
  private readonly listeners = new Set<Listener>();

  around(node: HTMLElement): Around {
    return {
      dark: document.body.dataset.jpThemeLight === 'false',
      still: window.matchMedia('(prefers-reduced-motion: reduce)').matches,
      language: this.language,
      kernel: this.kernelOf(node)
    };
  }

  listen(listener: Listener): void {
    this.listeners.add(listener);
  }

  forget(listener: Listener): void {
    this.listeners.delete(listener);
  }

  changed(): void {
    this.listeners.forEach(listener => listener());
  }
}

export const surroundings = new Surroundings();
