/** A box that is one stop of Tab and whose parts are walked by keys: the current one is framed, named and told. */
import type { Frame } from '../view.js';

let ids = 0;

export class Walk {
  private node: HTMLElement | null = null;

  constructor(private readonly frame: Frame, readonly box: HTMLElement, role: string, name: string) {
    box.tabIndex = 0;
    box.dataset.lmSuppressShortcuts = 'true';
    box.classList.add('cutaway-walked');
    box.setAttribute('role', role);
    box.setAttribute('aria-label', name);
    box.style.setProperty('--cutaway-accent', frame.look.accent);
  }

  /** Makes it the current one; null: none is. What screen readers need is set only then, as most are never current. */
  go(node: HTMLElement | null, sentence = ''): void {
    this.node?.classList.remove('cutaway-current');
    this.node?.setAttribute('aria-selected', 'false');
    this.node = node;
    this.frame.say(sentence);
    if (!node) {
      this.box.removeAttribute('aria-activedescendant');
      return;
    }
    node.id ||= `cutaway-part-${++ids}`;
    node.classList.add('cutaway-current');
    node.setAttribute('aria-selected', 'true');
    node.setAttribute('aria-label', sentence);
    this.box.setAttribute('aria-activedescendant', node.id);
  }

  /** Into sight, without more movement than that needs. */
  reveal(): void {
    this.node?.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'auto' });
  }

  /** What each key does; other keys, and those with Ctrl, Alt or Meta, stay the page's. */
  keys(acts: Readonly<Record<string, () => void>>): void {
    this.box.addEventListener('keydown', event => {
      const act = event.ctrlKey || event.metaKey || event.altKey || event.target !== this.box ? undefined : acts[event.key];
      if (act) {
        event.preventDefault();
        event.stopPropagation();
        act();
      }
    });
  }

  /** When the mouse comes over another part; not when parts move under a mouse that rests, as they do under the keys. */
  hover(act: (event: MouseEvent) => void): void {
    let x = NaN;
    let y = NaN;
    this.box.addEventListener('mouseover', event => {
      if (event.clientX !== x || event.clientY !== y) {
        [x, y] = [event.clientX, event.clientY];
        act(event);
      }
    });
  }

  /** The value of data-NAME of what is under the mouse; '' where nothing of the box is. */
  under(event: Event, name: string): string {
    const node = event.target instanceof Element ? event.target.closest<HTMLElement>(`[data-${name}]`) : null;
    return node && this.box.contains(node) ? (node.dataset[name] ?? '') : '';
  }
}

/** Between the first and the last. */
export function within(at: number, count: number): number {
  return Math.min(count - 1, Math.max(0, at));
}
