/** Points where they are seen: projected, in a grid for finding those near a place, and in an order that is spread over the plot. */
import { DISTANCE, rotation } from './turn.js';

/** CSS pixels. */
const CELL = 16;

export class Cloud {
  /** Where each point is seen, in CSS pixels from the plot's top left; NaN for what is no place. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** 0 nearest .. 1 farthest, in three dimensions. */
  readonly depth: Float32Array | null;
  /** The numbers of those in sight, `count` of them. */
  readonly sight: Int32Array;
  count = 0;
  /** Coarse before fine: however much of it is left out, the rest is spread over the plot. */
  readonly order: Int32Array;
  readonly low: number[];
  readonly high: number[];
  /** Half the longest side, and how far no point is from the middle, in such halves. */
  readonly radius: number;
  readonly reach: number;
  readonly centre: number[];
  private readonly unit: Float32Array;
  private heads = new Int32Array(0);
  private readonly next: Int32Array;
  private columns = 0;
  private rows = 0;

  constructor(readonly points: Float32Array, readonly dims: number) {
    const n = points.length / dims;
    this.x = new Float32Array(n);
    this.y = new Float32Array(n);
    this.depth = dims === 3 ? new Float32Array(n) : null;
    this.sight = new Int32Array(n);
    this.next = new Int32Array(n);
    [this.low, this.high] = box(points, dims);
    this.centre = this.low.map((low, d) => low / 2 + this.high[d] / 2);
    this.radius = Math.max(...this.low.map((low, d) => this.high[d] / 2 - low / 2)) || 1;
    this.unit = new Float32Array(points.length);
    let reach = 0;
    for (let d = 0; d < dims; d++) {
      const [middle, each] = [this.centre[d], 1 / this.radius];
      for (let i = d; i < points.length; i += dims) {
        const at = (points[i] - middle) * each;
        this.unit[i] = at;
        reach = Math.abs(at) > reach ? Math.abs(at) : reach;
      }
    }
    this.reach = reach * Math.sqrt(dims) || 1;
    this.order = spread(this.unit, dims);
  }

  get n(): number {
    return this.x.length;
  }

  /** Two dimensions: the place of the middle, and pixels to one of the values. */
  flat(middle: readonly number[], scale: readonly number[], width: number, height: number): void {
    const { points, x, y, n } = this;
    const [left, top] = [width / 2 - middle[0] * scale[0], height / 2 + middle[1] * scale[1]];
    const [across, up] = scale;
    for (let i = 0; i < n; i++) {
      x[i] = left + points[2 * i] * across;
      y[i] = top - points[2 * i + 1] * up;
    }
  }

  /** Three dimensions, seen from there; `scale`: pixels to half the longest side. */
  deep(side: number, up: number, scale: number, middle: readonly number[]): void {
    const m = rotation(side, up);
    const { unit, x, y } = this;
    const depth = this.depth!;
    const far = 1 / (2 * this.reach);
    for (let i = 0, at = 0; i < this.n; i++, at += 3) {
      const a = unit[at];
      const b = unit[at + 1];
      const c = unit[at + 2];
      const back = m[6] * a + m[7] * b + m[8] * c;
      const near = (scale * DISTANCE) / Math.max(0.2, DISTANCE + back);
      x[i] = middle[0] + (m[0] * a + m[1] * b + m[2] * c) * near;
      y[i] = middle[1] - (m[3] * a + m[4] * b + m[5] * c) * near;
      depth[i] = Math.min(1, Math.max(0, back * far + 0.5));
    }
  }

  /** Finds those in sight, of groups that are not hidden, and sorts them into the grid. */
  look(width: number, height: number, hidden: (i: number) => boolean): void {
    this.columns = Math.ceil(width / CELL);
    this.rows = Math.ceil(height / CELL);
    if (this.heads.length !== this.columns * this.rows) {
      this.heads = new Int32Array(this.columns * this.rows);
    }
    this.heads.fill(-1);
    this.count = 0;
    for (let i = 0; i < this.n; i++) {
      if (this.x[i] >= 0 && this.x[i] < width && this.y[i] >= 0 && this.y[i] < height && !hidden(i)) {
        const cell = Math.floor(this.y[i] / CELL) * this.columns + Math.floor(this.x[i] / CELL);
        this.next[i] = this.heads[cell];
        this.heads[cell] = i;
        this.sight[this.count++] = i;
      }
    }
    if (this.depth) {
      this.sortByDepth(this.depth);
    }
  }

  /** The farthest first, by counting. */
  private sortByDepth(depth: Float32Array): void {
    const levels = 256;
    const starts = new Int32Array(levels + 1);
    const level = (i: number) => levels - 1 - Math.min(levels - 1, Math.floor(depth[i] * levels));
    for (let k = 0; k < this.count; k++) {
      starts[level(this.sight[k]) + 1]++;
    }
    for (let l = 0; l < levels; l++) {
      starts[l + 1] += starts[l];
    }
    const unsorted = this.sight.slice(0, this.count);
    unsorted.forEach(i => (this.sight[starts[level(i)]++] = i));
  }

  /** The point in sight that is nearest to a place, within so many pixels; -1: none. */
  nearest(x: number, y: number, within: number): number {
    let best = -1;
    let least = within * within;
    const [c0, c1] = [Math.floor((x - within) / CELL), Math.floor((x + within) / CELL)];
    const [r0, r1] = [Math.floor((y - within) / CELL), Math.floor((y + within) / CELL)];
    for (let row = Math.max(0, r0); row <= Math.min(this.rows - 1, r1); row++) {
      for (let column = Math.max(0, c0); column <= Math.min(this.columns - 1, c1); column++) {
        for (let i = this.heads[row * this.columns + column]; i >= 0; i = this.next[i]) {
          const away = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
          if (away < least || (away === least && i < best)) {
            least = away;
            best = i;
          }
        }
      }
    }
    return best;
  }

  /** The nearest in sight from there in a direction (1, 0: right), within a right angle round it; -1: none. */
  toward(from: number, dx: number, dy: number): number {
    let best = -1;
    let least = Infinity;
    for (let k = 0; k < this.count; k++) {
      const i = this.sight[k];
      const along = (this.x[i] - this.x[from]) * dx + (this.y[i] - this.y[from]) * dy;
      const aside = Math.abs((this.x[i] - this.x[from]) * dy - (this.y[i] - this.y[from]) * dx);
      const away = along + 2 * aside;
      if (i !== from && along > 0 && aside <= along && (away < least || (away === least && i < best))) {
        least = away;
        best = i;
      }
    }
    return best;
  }
}

function box(points: Float32Array, dims: number): [number[], number[]] {
  const low = Array<number>(dims).fill(Infinity);
  const high = Array<number>(dims).fill(-Infinity);
  for (let i = 0; i < points.length; i += dims) {
    let whole = true;
    for (let d = 0; d < dims; d++) {
      whole = whole && Number.isFinite(points[i + d]);
    }
    for (let d = 0; whole && d < dims; d++) {
      low[d] = Math.min(low[d], points[i + d]);
      high[d] = Math.max(high[d], points[i + d]);
    }
  }
  return low[0] <= high[0] ? [low, high] : [low.fill(0), high.fill(0)];
}

/** The first point of each cell of ever finer grids. */
function spread(unit: Float32Array, dims: number): Int32Array {
  const n = unit.length / dims;
  const order = new Int32Array(n);
  const taken = new Uint8Array(n);
  let count = 0;
  for (let side = 4; side <= 512 && count < n; side *= 2) {
    const cells = new Uint8Array(side * side);
    const most = side - 1;
    const half = side / 2;
    for (let i = 0, at = 0; i < n; i++, at += dims) {
      if (taken[i]) {
        continue;
      }
      const column = Math.min(most, ((unit[at] + 1) * half) | 0);
      const row = Math.min(most, ((unit[at + 1] + 1) * half) | 0);
      if (unit[at] === unit[at] && !cells[row * side + column]) {
        cells[row * side + column] = taken[i] = 1;
        order[count++] = i;
      }
    }
  }
  for (let i = 0; i < n && count < n; i++) {
    if (!taken[i]) {
      order[count++] = i;
    }
  }
  return order;
}
