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
  /** Holds the canvas, which may be wider than there is room. */
  private readonly scroller = element('div', 'wide');
  private spot = NOWHERE;

  /** `host` is what it stands in, with the canvas, if it tells of one, before all else; screen readers hear the read-out line instead. */
  constructor(private readonly host: HTMLElement, look: Look, canvas?: HTMLCanvasElement) {
    this.node.setAttribute('aria-hidden', 'true');
    this.node.hidden = true;
    Object.assign(this.node.style, { background: look.paper, color: look.ink, borderColor: look.line });
    host.classList.add('cutaway-tipped');
    if (canvas) {
      this.scroller.append(canvas);
      this.scroller.addEventListener('scroll', () => this.place());
      host.prepend(this.scroller);
    }
    host.append(this.node);
  }

  /** Over what stands between the heights `y` and `below` of the canvas, or under it; '' hides it. */
  show(text: string, spot: Spot = NOWHERE): void {
    this.node.hidden = text === '';
    this.node.textContent = text;
    this.spot = spot;
    this.place();
  }

  /** Scrolls to what it tells of: keys lead to what is not in sight. */
  reveal(): void {
    const { scrollLeft, clientWidth } = this.scroller;
    if (!this.node.hidden && (this.spot.x < scrollLeft || this.spot.x > scrollLeft + clientWidth)) {
      this.scroller.scrollLeft = this.spot.x - clientWidth / 2;
      this.place();
    }
  }

  private place(): void {
    if (!this.node.hidden) {
      const { offsetWidth: wide, offsetHeight: tall } = this.node;
      const x = this.spot.x - this.scroller.scrollLeft;
      const left = x + 16 + wide > this.host.clientWidth ? Math.max(0, x - 12 - wide) : x + 16;
      this.node.style.left = `${left}px`;
      this.node.style.top = `${this.spot.y - tall - 10 < ROOM ? this.spot.below + 10 : this.spot.y - tall - 10}px`;
    }
  }
}
