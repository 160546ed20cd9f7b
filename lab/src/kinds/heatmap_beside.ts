/** Beside the lines of a marked token: its weights in every head of the layer, a column for each head. */
import type { Frame } from '../view.js';
import { addChinese } from '../words.js';
import { label, place, type HeatData, type Panel } from './heatmap_data.js';
import type { Place } from './heatmap_matrix.js';
import type { Ends, Palette, Range } from './heatmap_paint.js';
import { canHide, number } from './heatmap_sight.js';

addChinese({
  'every head': '所有头',
  'strongest of all heads: head {head}, {token} {value}': '所有头中最强：第 {head} 头，{token} {value}',
  'head {head}: {from} → {to} {value}': '第 {head} 头：{from} → {to} {value}'
});

const LARGEST = 14;
const SMALLEST = 5;
/** Of the heads' numbers. */
const LEGIBLE = 12;

/** What is beside what: the panel that is open, its marked token and the cells in sight, all in places before pooling. */
export interface Marked {
  readonly open: number;
  readonly at: Place;
  readonly range: Range;
  readonly hide: boolean;
}

/** Where it stands: `left` and `top` of its cells, `step` from token to token. */
interface Spot {
  readonly left: number;
  readonly top: number;
  readonly step: number;
}

/** A token that a head looks at, or that looks at it. */
interface Weight {
  readonly head: number;
  readonly at: number;
  readonly value: number;
  readonly origin: Panel['origin'];
}

export class Beside {
  /** Pixels from head to head. */
  private each = 0;
  private weights: Weight[][] = [];
  private marked: Marked | null = null;
  private spot: Spot = { left: 0, top: 0, step: 1 };

  constructor(private readonly frame: Frame, private readonly data: HeatData, private readonly palette: Palette) {}

  private get heads(): number {
    return this.data.panelColumns.count;
  }

  /** What it takes of the room beside labels that need `names`; 0: it has none, or there is one head alone. */
  arrange(room: number, names: number): number {
    const each = Math.min(LARGEST, Math.floor((room - names) / this.heads));
    this.each = this.data.areHeads && this.heads > 1 && each >= SMALLEST ? each : 0;
    this.weights = [];
    this.marked = null;
    return this.each * this.heads;
  }

  /** No token is marked. */
  clear(): void {
    this.marked = null;
  }

  /** Draws the weights of the marked token. */
  draw(context: CanvasRenderingContext2D, marked: Marked, spot: Spot, root: boolean): void {
    if (this.each === 0) {
      return;
    }
    const { low, high } = this.data.scale;
    const ends: Ends = { low, high, root };
    const open = marked.open % this.heads;
    this.marked = marked;
    this.spot = spot;
    this.weights = Array.from({ length: this.heads }, (_none, head) => this.weightsOf(marked, head));
    this.weights.forEach((weights, head) => {
      weights.forEach(({ value }, i) => {
        context.fillStyle = this.palette.css(value, ends);
        context.fillRect(spot.left + head * this.each, spot.top + i * spot.step, this.each - 1, Math.max(1, spot.step - 1));
      });
    });
    this.drawNumbers(context, open);
    context.strokeStyle = this.frame.look.accent;
    context.lineWidth = 1.5;
    context.strokeRect(spot.left + open * this.each - 1, spot.top - 1, this.each + 1, this.weights[0].length * spot.step + 1);
  }

  private drawNumbers(context: CanvasRenderingContext2D, open: number): void {
    const { look, words } = this.frame;
    const { left, top } = this.spot;
    const apart = Math.ceil(LEGIBLE / this.each);
    context.textBaseline = 'middle';
    context.textAlign = 'center';
    context.fillStyle = look.quiet;
    context.font = `11px ${look.font}`;
    context.fillText(words('every head'), left + (this.each * this.heads) / 2, top - 16);
    for (let head = 0; head < this.heads; head++) {
      if (head === open || (head % apart === 0 && Math.abs(head - open) >= apart)) {
        context.font = `${head === open ? 'bold ' : ''}9px ${look.font}`;
        context.fillStyle = head === open ? look.accent : look.quiet;
        context.fillText(label(this.data.panelColumns, head), left + (head + 0.5) * this.each, top - 6);
      }
    }
  }

  /** What a head gives from or to the marked token, for each cell in sight of the head that is open. */
  private weightsOf({ open, at, range, hide }: Marked, head: number): Weight[] {
    const shown = this.data.best(open);
    const panel = this.data.bestOf(this.heads, open - (open % this.heads) + head);
    const isRow = at.row >= 0;
    const [block, begin, end] = isRow ? [shown.columnBlock, range.left, range.right] : [shown.rowBlock, range.top, range.bottom];
    const rests = hide && canHide(this.data, shown) ? this.data.rests : null;
    const origin = shown.origin === 'pooled' ? 'pooled' : panel.origin;
    const found: Weight[] = [];
    for (let from = begin; from < end; from += block) {
      const [row, column] = isRow ? [at.row, from] : [from, at.column];
      found.push({ head, at: Math.floor(from / block), value: strongest(panel, shown, row, column, rests), origin });
    }
    return found;
  }

  /** The strongest link of the marked token in any head, as a sentence; '' where nothing is drawn. */
  tell(): string {
    const all = this.marked ? this.weights.flat().filter(({ value }) => Number.isFinite(value)) : [];
    if (all.length === 0) {
      return '';
    }
    const most = all.reduce((best, one) => (Math.abs(one.value) > Math.abs(best.value) ? one : best));
    const head = label(this.data.panelColumns, most.head);
    return this.frame.words('strongest of all heads: head {head}, {token} {value}', { head, token: this.other(most), value: this.value(most) });
  }

  /** The head and what is said of the cell under a point; null elsewhere. */
  at(x: number, y: number): { panel: number; said: string } | null {
    const { left, top, step } = this.spot;
    const { marked } = this;
    const head = Math.floor((x - left) / this.each);
    const one = this.weights[head]?.[Math.floor((y - top) / step)];
    if (!marked || !one) {
      return null;
    }
    const { at, open } = marked;
    const isRow = at.row >= 0;
    const shown = this.data.best(open);
    const own = isRow ? place(this.data.rows, Math.floor(at.row / shown.rowBlock), shown.rowBlock) : place(this.data.columns, Math.floor(at.column / shown.columnBlock), shown.columnBlock);
    const [from, to] = isRow ? [own, this.other(one)] : [this.other(one), own];
    const said = this.frame.words('head {head}: {from} → {to} {value}', { head: label(this.data.panelColumns, head), from, to, value: this.value(one) });
    return { panel: open - (open % this.heads) + head, said };
  }

  /** The token at the other end of a link. */
  private other({ at }: Weight): string {
    const marked = this.marked as Marked;
    const shown = this.data.best(marked.open);
    return marked.at.row >= 0 ? place(this.data.columns, at, shown.columnBlock) : place(this.data.rows, at, shown.rowBlock);
  }

  private value({ value, origin }: Weight): string {
    const { words } = this.frame;
    if (Number.isNaN(value) && this.marked?.hide) {
      return words('hidden');
    }
    const told = number(value, false);
    const pooled = this.data.scale.signed ? 'strongest {value}' : 'at most {value}';
    return origin === 'exact' ? told : words(origin === 'pooled' ? pooled : 'about {value}', { value: told });
  }
}

/** The strongest of a panel's cells that lie where a cell of the panel that is open does, which begins at a row and a column before
 * pooling. Without sinks nothing is known of pools, which hold them: NaN. */
function strongest(panel: Panel, shown: Panel, row: number, column: number, rests: ReadonlySet<number> | null): number {
  if (rests && panel.origin === 'pooled') {
    return NaN;
  }
  let most = NaN;
  const bottom = Math.min(panel.rows, Math.ceil((row + shown.rowBlock) / panel.rowBlock));
  const right = Math.min(panel.columns, Math.ceil((column + shown.columnBlock) / panel.columnBlock));
  for (let r = Math.floor(row / panel.rowBlock); r < bottom; r++) {
    for (let c = Math.floor(column / panel.columnBlock); c < right; c++) {
      const value = weight(panel, r, c, rests);
      most = Math.abs(value) <= Math.abs(most) ? most : value;
    }
  }
  return most;
}

/** A weight; where sinks are hidden, its share of what they leave of its row. */
function weight(panel: Panel, row: number, column: number, rests: ReadonlySet<number> | null): number {
  const begin = row * panel.columns;
  if (!rests) {
    return panel.values[begin + column];
  }
  let left = 0;
  for (let c = 0; c < panel.columns; c++) {
    left += rests.has(c) ? 0 : panel.values[begin + c];
  }
  return rests.has(column) || left <= 0 ? NaN : panel.values[begin + column] / left;
}
