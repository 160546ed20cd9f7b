/** Zooming and panning: what a scale shows of its whole, and the gestures that all plots have in common. */
import { unit, valueOf, type Span } from './scale.js';

/** The smallest part of the whole that is shown. */
const LEAST = 1e-6;

/** Shifts a span into the whole without stretching it. */
function within(span: Span, whole: Span): Span {
  const length = Math.min(span.high - span.low, whole.high - whole.low);
  const low = Math.min(Math.max(span.low, whole.low), whole.high - length);
  return { low, high: low + length };
}

function units(span: Span, log: boolean): Span {
  return { low: unit(span.low, log), high: unit(span.high, log) };
}

function values(span: Span, log: boolean): Span {
  return { low: valueOf(span.low, log), high: valueOf(span.high, log) };
}

/** The part `by` times as long (below 1: nearer), round a value that keeps its place. */
export function zoomed(span: Span, by: number, about: number, whole: Span, log: boolean): Span {
  const now = units(span, log);
  const all = units(whole, log);
  const least = (all.high - all.low) * LEAST;
  const length = Math.max(least, (now.high - now.low) * by);
  const fixed = Math.min(Math.max(unit(about, log), now.low), now.high);
  const share = (fixed - now.low) / (now.high - now.low || 1);
  const low = fixed - share * length;
  return values(within({ low, high: low + length }, all), log);
}

/** Shifted by a share of its length. */
export function panned(span: Span, share: number, whole: Span, log: boolean): Span {
  const now = units(span, log);
  const by = (now.high - now.low) * share;
  return values(within({ low: now.low + by, high: now.high + by }, units(whole, log)), log);
}

/** Shifted so that a value stands in its middle. */
export function centred(span: Span, about: number, whole: Span, log: boolean): Span {
  const { low, high } = units(span, log);
  return panned(span, (unit(about, log) - (low + high) / 2) / (high - low), whole, log);
}

export interface Drag {
  move(x: number, y: number): void;
  end(x: number, y: number): void;
  /** Escape, or the system took the pointer away. */
  cancel(): void;
}

interface Gestures {
  hover(x: number, y: number): void;
  leave(): void;
  /** A press that did not become a drag. */
  click(x: number, y: number, event: PointerEvent): void;
  /** A press moved more than a few pixels: null where nothing comes of it. */
  drag(x: number, y: number, event: PointerEvent): Drag | null;
  /** `by` below 1: nearer. Where it is absent the wheel scrolls the page. */
  zoom?(by: number, x: number, y: number): void;
  reset?(): void;
}

const SLACK = 4;

/** Where the mouse was last, on the window. */
let lying = { x: NaN, y: NaN };

/** Whether it lies where it lay: a page that moves under it is no reason to forget what the keyboard chose. */
function still(event: PointerEvent): boolean {
  const same = event.clientX === lying.x && event.clientY === lying.y;
  lying = { x: event.clientX, y: event.clientY };
  return same;
}

/** Mouse, pen and finger on a canvas. The wheel zooms where the canvas has the focus or Ctrl is held: else the page scrolls. */
export function listen(canvas: HTMLCanvasElement, gestures: Gestures): void {
  let from: { x: number; y: number; event: PointerEvent } | null = null;
  let drag: Drag | null = null;
  const stop = (how: (drag: Drag) => void) => {
    const was = drag;
    drag = null;
    from = null;
    if (was) {
      how(was);
    }
  };
  canvas.style.touchAction = 'pan-y';
  canvas.addEventListener('pointerdown', event => {
    if (event.button === 0) {
      from = { x: event.offsetX, y: event.offsetY, event };
      canvas.setPointerCapture(event.pointerId);
    }
  });
  canvas.addEventListener('pointermove', event => {
    if (still(event)) {
      return;
    }
    if (from && !drag && Math.hypot(event.offsetX - from.x, event.offsetY - from.y) > SLACK) {
      drag = gestures.drag(from.x, from.y, from.event);
      from = drag ? from : null;
    }
    drag ? drag.move(event.offsetX, event.offsetY) : gestures.hover(event.offsetX, event.offsetY);
  });
  canvas.addEventListener('pointerup', event => {
    const pressed = from && !drag ? from : null;
    stop(was => was.end(event.offsetX, event.offsetY));
    if (pressed) {
      gestures.click(event.offsetX, event.offsetY, event);
    }
  });
  canvas.addEventListener('pointercancel', () => stop(was => was.cancel()));
  canvas.addEventListener('keydown', event => {
    if (event.key === 'Escape' && drag) {
      event.stopImmediatePropagation();
      stop(was => was.cancel());
    }
  });
  canvas.addEventListener('pointerleave', event => still(event) || gestures.leave());
  canvas.addEventListener('dblclick', () => gestures.reset?.());
  canvas.addEventListener(
    'wheel',
    event => {
      if (gestures.zoom && (event.ctrlKey || document.activeElement === canvas)) {
        event.preventDefault();
        const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
        gestures.zoom(2 ** Math.max(-1, Math.min(1, (event.deltaY * lines) / 240)), event.offsetX, event.offsetY);
      }
    },
    { passive: false }
  );
}

/** Keys that do something: the event goes no further, so that neither the page scrolls nor the notebook acts. */
export function keys(canvas: HTMLCanvasElement, act: (key: string, event: KeyboardEvent) => boolean): void {
  canvas.addEventListener('keydown', event => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && act(event.key, event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  });
}
