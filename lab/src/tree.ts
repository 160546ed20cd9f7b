/** A tree for mouse and keyboard, as the ARIA practices have it: one item is in the tab order, arrows move and open. */
import { element } from './frame.js';

export interface Item {
  /** Its own in the whole tree, and the same when the tree is filled anew. */
  readonly key: string;
  readonly label: string;
  readonly detail?: string;
  /** Said on hovering: what Enter and a click do. */
  readonly hint?: string;
  readonly act?: () => void;
  /** A list even if it is empty yet: the item opens. */
  readonly children?: readonly Item[];
}

const ITEM = '[role=treeitem]';

export class Tree {
  readonly node = element('ul', 'tree');
  private readonly open = new Set<string>();
  private readonly items = new Map<string, Item>();
  private current = '';

  /** `opened` is called when an item is opened by the reader. */
  constructor(private readonly opened: (key: string) => void) {
    this.node.setAttribute('role', 'tree');
    this.node.addEventListener('keydown', event => this.onKey(event));
    this.node.addEventListener('click', event => this.onClick(event));
  }

  fill(label: string, items: readonly Item[]): void {
    const focused = this.node.contains(document.activeElement);
    this.node.setAttribute('aria-label', label);
    this.items.clear();
    this.node.replaceChildren(...items.map(item => this.make(item)));
    this.settle(focused);
  }

  isOpen(key: string): boolean {
    return this.open.has(key);
  }

  private make(item: Item): HTMLLIElement {
    this.items.set(item.key, item);
    const node = element('li', 'item');
    node.dataset.key = item.key;
    node.tabIndex = -1;
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-label', [item.label, item.detail, item.hint].filter(text => text).join(', '));
    const row = element('div', 'row');
    row.title = item.hint ?? '';
    const texts = element('span', 'texts');
    texts.append(element('span', 'name', item.label), element('span', 'detail', item.detail));
    row.append(element('span', 'twisty'), texts);
    node.append(row);
    if (item.children) {
      const open = this.open.has(item.key);
      const group = element('ul', 'group');
      node.setAttribute('aria-expanded', String(open));
      group.setAttribute('role', 'group');
      group.hidden = !open;
      group.append(...(open ? item.children.map(child => this.make(child)) : []));
      node.append(group);
    }
    return node;
  }

  /** The item that was in the tab order stays it; where it is gone, the first is. */
  private settle(focus: boolean): void {
    const shown = this.shown();
    const now = shown.find(node => node.dataset.key === this.current) ?? shown[0];
    if (now) {
      this.stand(now, focus);
    }
  }

  private shown(): HTMLElement[] {
    return [...this.node.querySelectorAll<HTMLElement>(ITEM)];
  }

  private stand(node: HTMLElement, focus = true): void {
    this.shown().forEach(other => (other.tabIndex = other === node ? 0 : -1));
    this.current = node.dataset.key ?? '';
    if (focus) {
      node.focus();
    }
  }

  private toggle(node: HTMLElement, open: boolean): void {
    const item = this.items.get(node.dataset.key ?? '');
    const group = node.querySelector<HTMLElement>(':scope > ul');
    if (!item?.children || !group) {
      return;
    }
    node.setAttribute('aria-expanded', String(open));
    group.hidden = !open;
    group.replaceChildren(...(open ? item.children.map(child => this.make(child)) : []));
    if (open) {
      this.open.add(item.key);
      this.opened(item.key);
    } else {
      this.open.delete(item.key);
    }
  }

  private act(node: HTMLElement): void {
    const item = this.items.get(node.dataset.key ?? '');
    if (item?.act) {
      item.act();
    } else {
      this.toggle(node, node.getAttribute('aria-expanded') !== 'true');
    }
  }

  private onClick(event: MouseEvent): void {
    const target = event.target as HTMLElement;
    const node = target.closest<HTMLElement>(ITEM);
    if (!node) {
      return;
    }
    this.stand(node);
    if (target.classList.contains('cutaway-twisty')) {
      this.toggle(node, node.getAttribute('aria-expanded') !== 'true');
    } else {
      this.act(node);
    }
  }

  private onKey(event: KeyboardEvent): void {
    const node = (event.target as HTMLElement).closest<HTMLElement>(ITEM);
    if (!node || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const shown = this.shown();
    const at = shown.indexOf(node);
    const open = node.getAttribute('aria-expanded');
    const outer = node.parentElement?.closest<HTMLElement>(ITEM);
    const moves: Record<string, () => void> = {
      ArrowDown: () => shown[at + 1] && this.stand(shown[at + 1]),
      ArrowUp: () => shown[at - 1] && this.stand(shown[at - 1]),
      Home: () => this.stand(shown[0]),
      End: () => this.stand(shown[shown.length - 1]),
      ArrowRight: () => (open === 'true' ? shown[at + 1] && this.stand(shown[at + 1]) : this.toggle(node, true)),
      ArrowLeft: () => (open === 'true' ? this.toggle(node, false) : outer && this.stand(outer)),
      Enter: () => this.act(node),
      ' ': () => this.act(node)
    };
    const move = moves[event.key] ?? (event.key.length === 1 ? () => this.find(shown, at, event.key) : null);
    if (move) {
      event.preventDefault();
      event.stopPropagation();
      move();
    }
  }

  /** The next item whose label begins with the letter. */
  private find(shown: HTMLElement[], at: number, letter: string): void {
    const turned = [...shown.slice(at + 1), ...shown.slice(0, at + 1)];
    const found = turned.find(node => this.items.get(node.dataset.key ?? '')?.label.toLowerCase().startsWith(letter.toLowerCase()));
    if (found) {
      this.stand(found);
    }
  }
}
