/** What the colours and shapes stand for: a button each, which shows or hides what it stands for. */
import { fit } from './canvas.js';
import { element } from './frame.js';
import { addChinese } from './words.js';
import type { Frame } from './view.js';

addChinese({ 'show all': '全部显示', 'show none': '全部隐藏', '{count} more without a button': '另有 {count} 项没有按钮', 'click: show or hide; Shift: this one alone': '单击:显示或隐藏;Shift 加单击:只显示这一项' });

export interface Entry {
  readonly label: string;
  /** Draws on 24 x 14 CSS pixels. */
  swatch(context: CanvasRenderingContext2D): void;
}

const MANY = 4;
const MOST = 200;

/** `hidden` is kept up to date; `change` is called behind every click. */
export function legend(frame: Frame, entries: readonly Entry[], hidden: Set<number>, change: () => void): HTMLElement {
  const node = element('div', 'legend');
  const buttons = entries.slice(0, MOST).map((entry, i) => {
    const button = element('button', 'key');
    const swatch = element('canvas', 'swatch');
    button.type = 'button';
    button.title = frame.words('click: show or hide; Shift: this one alone');
    swatch.setAttribute('aria-hidden', 'true');
    entry.swatch(fit(swatch, 24, 14));
    button.append(swatch, element('span', 'name', entry.label));
    button.addEventListener('click', event => {
      if (event.shiftKey) {
        entries.forEach((_entry, other) => (other === i ? hidden.delete(other) : hidden.add(other)));
      } else if (!hidden.delete(i)) {
        hidden.add(i);
      }
      settle();
    });
    return button;
  });
  const settle = (first = false) => {
    buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(!hidden.has(i))));
    if (!first) {
      change();
    }
  };
  const every = (label: string, act: () => void) => {
    const button = element('button', 'button', label);
    button.type = 'button';
    button.addEventListener('click', () => {
      act();
      settle();
    });
    return button;
  };
  node.append(...buttons);
  if (entries.length > MOST) {
    node.append(element('span', 'note', frame.words('{count} more without a button', { count: entries.length - MOST })));
  }
  if (entries.length > MANY) {
    node.append(
      every(frame.words('show all'), () => hidden.clear()),
      every(frame.words('show none'), () => entries.forEach((_entry, i) => hidden.add(i)))
    );
  }
  settle(true);
  return node;
}
