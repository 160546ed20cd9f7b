/** What is said beside the cursor too: a tall picture has its read-out line far below. */
import { element } from '../frame.js';
import type { Look } from '../look.js';

/** The middle of something drawn, its top and its bottom. */
export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly below: number;
}

const NOWHERE: Spot = { x: 0, y: 0, below: 0 };
/** At the top, where labels stand. */
const ROOM = 36;

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

  /** Over what stands between the heights `y` and `below` of the host, or under it; '' hides it. */
  show(text: string, { x, y, below }: Spot = NOWHERE): void {
    this.node.hidden = text === '';
    this.node.textContent = text;
    if (text) {
      const { offsetWidth: wide, offsetHeight: tall } = this.node;
      const left = x + 16 + wide > this.host.clientWidth ? Math.max(0, x - 12 - wide) : x + 16;
      this.node.style.left = `${left}px`;
      this.node.style.top = `${y - tall - 10 < ROOM ? below + 10 : y - tall - 10}px`;
    }
  }
}
