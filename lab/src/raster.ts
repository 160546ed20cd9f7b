/** Many points as pixels: stamps blended into one buffer, or the density of points in small cells. Nothing is allocated while it is panned. */
import { parseColour } from './look.js';
import type { Stamp } from './marks.js';

/** Little endian RGBA. */
export function pixelOf(rgb: string): number {
  const [r, g, b] = parseColour(rgb);
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** The colour between two: 0 is the first. */
export function mixed(from: number, to: number, share: number): number {
  const part = (shift: number) => Math.round(((from >> shift) & 255) * (1 - share) + ((to >> shift) & 255) * share) << shift;
  return ((255 << 24) | part(16) | part(8) | part(0)) >>> 0;
}

export class Raster {
  readonly width: number;
  readonly height: number;
  private readonly image: ImageData;
  private readonly pixels: Uint32Array;
  private counts = new Int32Array(0);
  private sums = new Int32Array(0);
  private used = new Int32Array(0);

  /** In pixels of the screen. */
  constructor(width: number, height: number) {
    this.width = Math.max(1, Math.round(width));
    this.height = Math.max(1, Math.round(height));
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  clear(paper: number): void {
    this.pixels.fill(paper);
  }

  rect(x: number, y: number, width: number, height: number, pixel: number): void {
    const [x0, x1] = [Math.max(0, x), Math.min(this.width, x + width)];
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height) && x0 < x1; row++) {
      this.pixels.fill(pixel, row * this.width + x0, row * this.width + x1);
    }
  }

  stamp(stamp: Stamp, x: number, y: number, pixel: number): void {
    const { side, cover } = stamp;
    const left = Math.round(x) - (side >> 1);
    const top = Math.round(y) - (side >> 1);
    const [from, to] = [Math.max(0, -left), Math.min(side, this.width - left)];
    const [r, g, b] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
    for (let row = Math.max(0, -top); row < Math.min(side, this.height - top); row++) {
      let at = (top + row) * this.width + left + from;
      for (let i = row * side + from; i < row * side + to; i++, at++) {
        const part = cover[i];
        if (part === 255) {
          this.pixels[at] = pixel;
        } else if (part) {
          const old = this.pixels[at];
          const rest = 255 - part;
          this.pixels[at] =
            (0xff000000 |
              ((((old >> 16) & 255) * rest + b * part) / 255) << 16 |
              ((((old >> 8) & 255) * rest + g * part) / 255) << 8 |
              (((old & 255) * rest + r * part) / 255)) >>>
            0;
        }
      }
    }
  }

  private blend(x: number, y: number, pixel: number, part: number): void {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) {
      const at = y * this.width + x;
      this.pixels[at] = mixed(this.pixels[at], pixel, part);
    }
  }

  /** A smooth line (Wu 1991): two pixels share each step. */
  segment(x0: number, y0: number, x1: number, y1: number, pixel: number): void {
    const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
    const [a0, b0, a1, b1] = steep ? [y0, x0, y1, x1] : [x0, y0, x1, y1];
    const [from, to] = [Math.round(Math.min(a0, a1)), Math.round(Math.max(a0, a1))];
    const most = steep ? this.height : this.width;
    for (let a = Math.max(0, from); a <= Math.min(most - 1, to); a++) {
      const b = a1 === a0 ? b0 : b0 + ((a - a0) / (a1 - a0)) * (b1 - b0);
      const whole = Math.floor(b);
      const part = b - whole;
      steep ? this.blend(whole, a, pixel, 1 - part) : this.blend(a, whole, pixel, 1 - part);
      steep ? this.blend(whole + 1, a, pixel, part) : this.blend(a, whole + 1, pixel, part);
    }
  }

  /**
   * Cells of `side` pixels, coloured by the logarithm of how many of the points lie there: colours[group][0 .. levels - 1],
   * by the group that has most of them. Points lie within. Returns the largest number in a cell.
   */
  density(points: { count: number; of: Int32Array; x: Float32Array; y: Float32Array; groups: Uint8Array | null }, ratio: number, side: number, colours: readonly Uint32Array[]): number {
    const columns = Math.ceil(this.width / side);
    const rows = Math.ceil(this.height / side);
    const kinds = colours.length;
    if (this.counts.length < columns * rows * kinds) {
      this.counts = new Int32Array(columns * rows * kinds);
      this.sums = new Int32Array(columns * rows);
      this.used = new Int32Array(columns * rows);
    }
    this.counts.fill(0);
    this.sums.fill(0);
    let used = 0;
    let most = 0;
    for (let k = 0; k < points.count; k++) {
      const i = points.of[k];
      const cell = Math.floor((points.y[i] * ratio) / side) * columns + Math.floor((points.x[i] * ratio) / side);
      this.counts[cell * kinds + (points.groups ? points.groups[i] : 0)]++;
      const sum = ++this.sums[cell];
      most = sum > most ? sum : most;
      if (sum === 1) {
        this.used[used++] = cell;
      }
    }
    this.paintCells(used, most, columns, side, colours);
    return most;
  }

  private paintCells(used: number, most: number, columns: number, side: number, colours: readonly Uint32Array[]): void {
    const { counts, sums } = this;
    const kinds = colours.length;
    const each = most > 1 ? 1 / Math.log(most) : 0;
    for (let k = 0; k < used; k++) {
      const cell = this.used[k];
      let group = 0;
      for (let g = 1; g < kinds; g++) {
        group = counts[cell * kinds + g] > counts[cell * kinds + group] ? g : group;
      }
      const ramp = colours[group];
      const level = each ? Math.round(Math.log(sums[cell]) * each * (ramp.length - 1)) : ramp.length - 1;
      this.rect((cell % columns) * side, Math.floor(cell / columns) * side, side, side, ramp[level]);
    }
  }

  /** Onto the canvas, at a place in its own pixels. */
  put(context: CanvasRenderingContext2D, x: number, y: number): void {
    context.putImageData(this.image, x, y);
  }
}
