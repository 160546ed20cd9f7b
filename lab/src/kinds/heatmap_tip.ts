/** What is said beside the cursor too: a tall picture has its read-out line far below. */
import { element } from '../frame.js';
import type { Look } from '../look.js';

export class Tip {
  readonly node = element('div', 'tip');

  /** `host` is what it stands in; screen readers hear the read-out line instead. */
  constructor(private readonly host: HTMLElement, look: Look) {
    this.node.setAttribute('aria-hidden', 'true');
    this.node.hidden = true;
    Object.assign(this.node.style, { background: look.paper, color: look.ink, borderColor: look.line });
    host.classList.add('cutaway-tipped');
    host.append(this.node);
  }

  /** Beside a point of the host; '' hides it. */
  show(text: string, x: number, y: number): void {
    this.node.hidden = text === '';
    this.node.textContent = text;
    if (text) {
      const left = x + 16 + this.node.offsetWidth > this.host.clientWidth ? Math.max(0, x - 12 - this.node.offsetWidth) : x + 16;
      this.node.style.left = `${left}px`;
      this.node.style.top = `${Math.max(0, y - this.node.offsetHeight - 10)}px`;
    }
  }
}
