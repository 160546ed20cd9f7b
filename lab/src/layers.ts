/** Two canvases over each other: `base` has the picture, `top` what follows the mouse and the keyboard. */
import { fit } from './canvas.js';
import { element } from './frame.js';
import type { Frame } from './view.js';

export class Layers {
  readonly node = element('div', 'layers');
  readonly base: HTMLCanvasElement;
  readonly top: HTMLCanvasElement;
  width = 0;
  height = 0;
  private queued = 0;

  /** `describe` tells how to use it; it is also shown below, as `hint`. */
  constructor(frame: Frame, hint: string, private readonly paint: { base(context: CanvasRenderingContext2D): void; top(context: CanvasRenderingContext2D): void }) {
    this.base = element('canvas', 'canvas');
    this.base.setAttribute('aria-hidden', 'true');
    this.top = frame.canvas(frame.figure.title || frame.figure.alt);
    this.top.classList.add('cutaway-over');
    this.top.setAttribute('aria-description', hint);
    this.node.append(this.base, this.top);
  }

  /** Draws both, now. */
  draw(width: number, height: number): void {
    this.width = width;
    this.height = height;
    cancelAnimationFrame(this.queued);
    this.queued = 0;
    this.node.style.width = `${width}px`;
    this.paint.base(fit(this.base, width, height));
    this.paint.top(fit(this.top, width, height));
  }

  private all = false;

  /** Draws the picture, or only what lies over it, before the next frame. */
  queue(all: boolean): void {
    this.all = this.all || all;
    if (!this.queued && this.width > 0) {
      this.queued = requestAnimationFrame(() => {
        this.queued = 0;
        if (this.all) {
          this.paint.base(fit(this.base, this.width, this.height));
        }
        this.all = false;
        this.paint.top(fit(this.top, this.width, this.height));
      });
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.queued);
  }
}
