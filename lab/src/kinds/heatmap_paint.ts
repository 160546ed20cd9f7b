/** Cells as pixels, and the colour bar: what the overview and the single head share. */
import { brief, fit, ratioOf } from '../canvas.js';
import { ramp, type Look } from '../look.js';
import type { Scale } from './heatmap_data.js';

const MISSING = '#b4b4b4';

/** The values of the first and the last colour; `root`: colours go by the square root, so that small values differ too. */
export interface Ends {
  readonly low: number;
  readonly high: number;
  readonly root: boolean;
}

/** Where a value stands on the scale: 0 to 1. */
export function share(value: number, { low, high, root }: Ends): number {
  if (!root) {
    return (value - low) / (high - low);
  }
  if (low < 0 && high > 0) {
    const half = Math.sqrt(Math.min(1, Math.abs(value) / Math.max(high, -low))) / 2;
    return value < 0 ? 0.5 - half : 0.5 + half;
  }
  return Math.sqrt(Math.max(0, (value - low) / (high - low)));
}

/** The value that stands at a share of the scale. */
function valueAt(at: number, ends: Ends): number {
  if (!ends.root) {
    return ends.low + at * (ends.high - ends.low);
  }
  const far = Math.max(ends.high, -ends.low);
  return ends.low < 0 && ends.high > 0 ? Math.sign(at - 0.5) * (2 * at - 1) ** 2 * far : ends.low + at * at * (ends.high - ends.low);
}

/** From values to packed pixels. */
export class Palette {
  private readonly pixels: Uint32Array;
  private readonly missing: number;

  constructor(readonly scale: Scale, look: Look) {
    this.pixels = ramp(scale.colours, look);
    this.missing = ramp([MISSING, MISSING], look)[0];
  }

  pixel(value: number, ends: Ends): number {
    if (Number.isNaN(value)) {
      return this.missing;
    }
    const at = Math.round(share(value, ends) * 255);
    return this.pixels[at < 0 ? 0 : at > 255 ? 255 : at];
  }

  css(value: number, ends: Ends): string {
    const packed = this.pixel(value, ends);
    return '#' + [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255].map(byte => byte.toString(16).padStart(2, '0')).join('');
  }
}

/** The part of a matrix that is looked at. */
export interface Range {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** The range of a matrix `width` wide with at most `tall` x `wide` cells: the strongest of each block, so that nothing that stands out is lost. */
function shrink(values: Float32Array, width: number, range: Range, tall: number, wide: number, signed: boolean): { values: Float32Array; rows: number; columns: number } {
  const rows = Math.min(tall, range.bottom - range.top);
  const columns = Math.min(wide, range.right - range.left);
  if (rows === range.bottom - range.top && columns === range.right - range.left) {
    const same = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      same.set(values.subarray((range.top + r) * width + range.left, (range.top + r) * width + range.right), r * columns);
    }
    return { values: same, rows, columns };
  }
  const out = new Float32Array(rows * columns).fill(-Infinity);
  for (let r = range.top; r < range.bottom; r++) {
    const to = Math.floor(((r - range.top) * rows) / (range.bottom - range.top)) * columns;
    for (let c = range.left; c < range.right; c++) {
      const at = to + Math.floor(((c - range.left) * columns) / (range.right - range.left));
      const value = values[r * width + c];
      const held = out[at];
      if (held === -Infinity || Number.isNaN(value) || (signed ? Math.abs(value) > Math.abs(held) : value > held)) {
        out[at] = Number.isNaN(held) ? held : value;
      }
    }
  }
  return { values: out, rows, columns };
}

/** One for all: a grid has a thousand pictures, and each is drawn before the next is made. */
let scratch: HTMLCanvasElement | null = null;

/** A canvas with a pixel for every cell of the range, or for as many as the screen has; good until the next call. */
export function picture(values: Float32Array, width: number, range: Range, palette: Palette, ends: Ends, tall: number, wide: number): HTMLCanvasElement {
  const cells = shrink(values, width, range, Math.max(1, Math.round(tall)), Math.max(1, Math.round(wide)), palette.scale.signed);
  const canvas = (scratch ??= document.createElement('canvas'));
  if (canvas.width !== cells.columns || canvas.height !== cells.rows) {
    canvas.width = cells.columns;
    canvas.height = cells.rows;
  }
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const image = context.createImageData(cells.columns, cells.rows);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = palette.pixel(cells.values[i], ends);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Ticks at round values: 1, 2, 2.5 or 5 times a power of ten apart, at most 6. */
export function ticks(low: number, high: number): number[] {
  const range = high - low;
  const ten = 10 ** Math.floor(Math.log10(range / 5));
  const step = ([1, 2, 2.5, 5, 10].find(factor => range / (factor * ten) <= 5.001) ?? 10) * ten;
  const found: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-6 && found.length < 12; k++) {
    found.push(k * step);
  }
  return found;
}

/** As `fit`, of a canvas that mostly keeps its size: making one anew for every move of the mouse takes time. */
export function refit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = ratioOf(width, height);
  const context = canvas.getContext('2d');
  if (!context || canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    return fit(canvas, width, height);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.clearRect(0, 0, width, height);
  return context;
}

export const BAR_WIDTH = 74;

/** A vertical bar of the scale with ticks and its unit beside it; `x` is its left. */
export function drawBar(context: CanvasRenderingContext2D, palette: Palette, look: Look, ends: Ends, x: number, y: number, height: number): void {
  for (let i = 0; i < height; i++) {
    context.fillStyle = palette.css(valueAt(1 - (i + 0.5) / height, ends), ends);
    context.fillRect(x, y + i, 12, Math.min(1.5, height - i));
  }
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, 13, height + 1);
  context.fillStyle = look.ink;
  context.font = `10px ${look.font}`;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  let last = Infinity;
  for (const tick of barTicks(ends)) {
    const at = y + height * (1 - share(tick, ends));
    if (last - at >= 11) {
      context.fillRect(x + 13, at - 0.25, 3, 0.75);
      context.fillText(brief(+tick.toPrecision(6)), x + 19, at);
      last = at;
    }
  }
  context.save();
  context.translate(x + 62, y + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillStyle = look.quiet;
  context.textAlign = 'center';
  context.fillText(palette.scale.unit, 0, 0);
  context.restore();
}

/** Round values; on a root scale finer ones near 0 too, from low to high. */
function barTicks(ends: Ends): number[] {
  const even = ticks(ends.low, ends.high);
  if (!ends.root) {
    return even;
  }
  const first = even.find(tick => tick > 0) ?? 0;
  const finer = [first / 20, first / 4].filter(tick => tick > ends.low);
  return [...even, ...finer, ...(ends.low < 0 ? finer.map(tick => -tick) : [])].sort((a, b) => a - b);
}

/** The scale of one matrix alone: to its own largest value. */
export function ownScale(values: Float32Array, scale: Scale): { low: number; high: number } {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value - value === 0) {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
  }
  if (high === -Infinity) {
    return scale;
  }
  if (scale.signed) {
    const far = Math.max(Math.abs(low), Math.abs(high)) || scale.high;
    return { low: -far, high: far };
  }
  const least = Math.min(low, scale.low);
  return high > least ? { low: least, high } : scale;
}
