/** The axes of a plot on a canvas: grid lines, ticks, labels, titles, in the manner of the kernel's pictures. */
import type { Look } from './look.js';
import { Scale, ticksOf, type Ticks } from './scale.js';

/** The plot inside its axes, in CSS pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export const LABEL = 11;
/** What labels and a title take below a plot. */
export const BELOW = 40;

export function labelFont(look: Look, size = LABEL): string {
  return `${size}px ${look.font}`;
}

/** Room for the labels of a scale at the left, and its title. */
export function leftRoom(context: CanvasRenderingContext2D, look: Look, ticks: Ticks, title: string): number {
  context.font = labelFont(look);
  const widest = ticks.labels.reduce((most, label) => Math.max(most, context.measureText(label).width), 0);
  return Math.ceil(widest + 9 + (title || ticks.factor ? 20 : 0));
}

function titled(title: string, ticks: Ticks): string {
  return ticks.factor ? `${title}${title ? '  ' : ''}${ticks.factor}` : title;
}

/** Sharp lines lie in the middle of a pixel. */
function sharp(at: number): number {
  return Math.round(at - 0.5) + 0.5;
}

export function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

export function leftAxis(context: CanvasRenderingContext2D, look: Look, scale: Scale, ticks: Ticks, box: Box, title: string): void {
  context.font = labelFont(look);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  ticks.values.forEach((value, i) => {
    const y = sharp(scale.at(value));
    line(context, box.left, y, box.right, y, look.grid);
    line(context, box.left - 4, y, box.left, y, look.quiet);
    context.fillStyle = look.ink;
    context.fillText(ticks.labels[i], box.left - 7, y);
  });
  context.save();
  context.translate(2, (box.top + box.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.fillStyle = look.quiet;
  context.fillText(titled(title, ticks), 0, 0, Math.max(40, box.bottom - box.top + 20));
  context.restore();
}

/** `grid`: lines through the plot too. */
export function bottomAxis(context: CanvasRenderingContext2D, look: Look, scale: Scale, ticks: Ticks, box: Box, title: string, grid = true): void {
  context.font = labelFont(look);
  context.textAlign = 'center';
  context.textBaseline = 'top';
  let free = -Infinity;
  ticks.values.forEach((value, i) => {
    const x = sharp(scale.at(value));
    const half = context.measureText(ticks.labels[i]).width / 2;
    if (grid) {
      line(context, x, box.top, x, box.bottom, look.grid);
    }
    line(context, x, box.bottom, x, box.bottom + 4, look.quiet);
    if (x - half > free + 4) {
      context.fillStyle = look.ink;
      context.fillText(ticks.labels[i], x, box.bottom + 7);
      free = x + half;
    }
  });
  context.fillStyle = look.quiet;
  context.fillText(titled(title, ticks), (box.left + box.right) / 2, box.bottom + 23);
}

/** A scale with its ticks about so many pixels apart. */
export function ticked(scale: Scale, apart: number, whole = false): Ticks {
  return ticksOf(scale, Math.abs(scale.end - scale.start) / apart, whole);
}
