/** One panel as a heat map: cells, labels, crosshair, the distributions of one row and one column along its sides. */
import { clip, fit } from '../canvas.js';
import type { Frame } from '../view.js';
import { addChinese } from '../words.js';
import { drawCells, type Box } from './heatmap_cells.js';
import type { HeatData } from './heatmap_data.js';
import { BAR_WIDTH, drawBar, refit, type Palette, type Range } from './heatmap_paint.js';
import type { Spot } from './heatmap_tip.js';
import { columnName, rowName, type Sight } from './heatmap_sight.js';

addChinese({ 'mean of the rows': '各行平均' });

const LARGEST = 56;
const TALL = 620;
const LABEL = 116;
/** Height of the distribution below and width of the one beside. */
const STRIP = 54;

export interface Place {
  readonly row: number;
  readonly column: number;
}

/** What is marked: the cell under the cursor, the pinned row or column, the part that is being chosen. */
export interface Marks {
  readonly at: Place | null;
  readonly pinnedRow: number;
  readonly pinnedColumn: number;
  readonly chosen: Range | null;
}

interface Layout extends Box {
  readonly width: number;
  readonly height: number;
  /** Column labels lie flat where they are short enough. */
  readonly flat: boolean;
  readonly font: number;
}

export class Matrix {
  private readonly base = document.createElement('canvas');
  private l: Layout | null = null;
  private sight: Sight | null = null;
  private below: readonly number[] = [];

  constructor(private readonly frame: Frame, private readonly data: HeatData, private readonly palette: Palette) {}

  arrange(width: number, sight: Sight): void {
    this.sight = sight;
    this.l = this.lay(width, sight);
    this.below = this.means(sight);
    this.draw(this.l, sight);
  }

  private lay(width: number, sight: Sight): Layout {
    const { range } = sight;
    const rows = range.bottom - range.top;
    const columns = range.right - range.left;
    const probe = fit(document.createElement('canvas'), 1, 1);
    probe.font = `bold 11px ${this.frame.look.font}`;
    const left = 24 + this.widest(probe, index => rowName(this.data, sight, index), range.top, range.bottom);
    const room = Math.max(120, width - left - STRIP - BAR_WIDTH - 16);
    let cellX = Math.min(LARGEST, room / columns);
    let cellY = Math.min(LARGEST, Math.max(TALL / rows, TALL / 2000));
    if (this.data.rows.source === this.data.columns.source) {
      const whole = Math.min(Math.max(cellX, cellY * 0.2), Math.max(cellY, cellX * 0.2));
      [cellX, cellY] = rows === columns ? [Math.min(cellX, cellY), Math.min(cellX, cellY)] : [Math.min(cellX, whole * 2), Math.min(cellY, whole * 2)];
    }
    const longest = this.widest(probe, index => columnName(this.data, sight, index), range.left, range.right);
    const flat = longest < cellX - 2;
    const top = 22 + (flat ? 16 : longest * 0.72 + 12);
    return { left, top, cellX, cellY, width: cellX * columns, height: cellY * rows, flat, font: 11 };
  }

  private widest(context: CanvasRenderingContext2D, name: (index: number) => string, begin: number, end: number): number {
    let widest = 12;
    for (let i = begin; i < end && widest < LABEL; i++) {
      widest = Math.max(widest, context.measureText(name(i)).width);
    }
    return Math.min(LABEL, widest);
  }

  private size(l: Layout): { width: number; height: number } {
    const lean = l.flat ? 0 : l.top - 34;
    return { width: l.left + l.width + Math.max(STRIP + BAR_WIDTH + 16, lean), height: Math.max(l.top + l.height + STRIP + 18, l.top + 150) };
  }

  private draw(l: Layout, sight: Sight): void {
    const { width, height } = this.size(l);
    const context = fit(this.base, width, height);
    const { ends } = sight;
    drawCells(context, l, sight, this.palette, this.frame.look);
    drawBar(context, this.palette, this.frame.look, ends, l.left + l.width + STRIP + 18, l.top, Math.min(220, Math.max(100, l.height)));
    this.drawTitles(context, l);
    this.drawLabels(context, l, sight, -1, -1);
  }

  private drawTitles(context: CanvasRenderingContext2D, l: Layout): void {
    context.font = `11px ${this.frame.look.font}`;
    context.fillStyle = this.frame.look.quiet;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillText(this.data.columns.title, l.left, 9);
    context.save();
    context.translate(8, l.top + l.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = 'center';
    context.fillText(clip(context, this.data.rows.title, Math.max(80, l.height)), 0, 0);
    context.restore();
  }

  /** The labels that there is room for; `row` and `column` are marked ones, drawn alone over the others. */
  private drawLabels(context: CanvasRenderingContext2D, l: Layout, sight: Sight, row: number, column: number): void {
    const { range } = sight;
    const each = (count: number, cell: number) => (cell >= 11 ? 1 : Math.ceil((count > 100 ? 16 : 13) / cell));
    const rowStep = each(range.bottom - range.top, l.cellY);
    const columnStep = l.flat ? 1 : each(range.right - range.left, l.cellX);
    for (let r = range.top; r < range.bottom; r += rowStep) {
      this.rowLabel(context, l, sight, r, r === row);
    }
    for (let c = range.left; c < range.right; c += columnStep) {
      this.columnLabel(context, l, sight, c, c === column);
    }
  }

  private labelStyle(context: CanvasRenderingContext2D, marked: boolean): void {
    context.font = `${marked ? 'bold ' : ''}11px ${this.frame.look.font}`;
    context.fillStyle = marked ? this.frame.look.accent : this.frame.look.ink;
    context.textBaseline = 'middle';
  }

  private rowLabel(context: CanvasRenderingContext2D, l: Layout, sight: Sight, row: number, marked: boolean): void {
    const y = l.top + (row - sight.range.top + 0.5) * l.cellY;
    if (marked) {
      context.fillStyle = this.frame.look.paper;
      context.fillRect(18, y - 8, l.left - 20, 16);
    }
    this.labelStyle(context, marked);
    context.textAlign = 'right';
    context.fillText(clip(context, rowName(this.data, sight, row), l.left - 22), l.left - 5, y);
  }

  private columnLabel(context: CanvasRenderingContext2D, l: Layout, sight: Sight, column: number, marked: boolean): void {
    context.save();
    context.translate(l.left + (column - sight.range.left + 0.5) * l.cellX, l.top - 6);
    if (l.flat) {
      context.translate(0, -5);
    } else {
      context.rotate(-Math.PI / 4);
    }
    this.labelStyle(context, marked);
    context.textAlign = l.flat ? 'center' : 'left';
    const text = clip(context, columnName(this.data, sight, column), l.flat ? l.cellX : (l.top - 32) / 0.7);
    if (marked) {
      const wide = context.measureText(text).width;
      context.fillStyle = this.frame.look.paper;
      context.fillRect(l.flat ? -wide / 2 - 2 : -2, -7, wide + 4, 14);
    }
    this.labelStyle(context, marked);
    context.fillText(text, 0, 0);
    context.restore();
  }

  paint(canvas: HTMLCanvasElement, marks: Marks): void {
    const l = this.l as Layout;
    const sight = this.sight as Sight;
    const { width, height } = this.size(l);
    const context = refit(canvas, width, height);
    context.drawImage(this.base, 0, 0, width, height);
    const row = marks.pinnedRow >= 0 ? marks.pinnedRow : (marks.at?.row ?? -1);
    const column = marks.pinnedColumn >= 0 ? marks.pinnedColumn : (marks.at?.column ?? -1);
    this.drawStrips(context, l, sight, row, column);
    for (const r of new Set([marks.pinnedRow, marks.at?.row ?? -1])) {
      this.band(context, l, sight, r, -1, r === marks.pinnedRow);
    }
    for (const c of new Set([marks.pinnedColumn, marks.at?.column ?? -1])) {
      this.band(context, l, sight, -1, c, c === marks.pinnedColumn);
    }
    if (marks.at) {
      this.outline(context, l, sight, { top: marks.at.row, bottom: marks.at.row + 1, left: marks.at.column, right: marks.at.column + 1 }, 2.5, []);
    }
    if (marks.chosen) {
      this.outline(context, l, sight, marks.chosen, 2, [5, 3]);
    }
  }

  /** Marks a row or a column across the map, with its label. */
  private band(context: CanvasRenderingContext2D, l: Layout, sight: Sight, row: number, column: number, pinned: boolean): void {
    const { range } = sight;
    if (row >= range.top && row < range.bottom) {
      this.outline(context, l, sight, { ...range, top: row, bottom: row + 1 }, pinned ? 1.75 : 0.75, []);
      this.rowLabel(context, l, sight, row, true);
    }
    if (column >= range.left && column < range.right) {
      this.outline(context, l, sight, { ...range, left: column, right: column + 1 }, pinned ? 1.75 : 0.75, []);
      this.columnLabel(context, l, sight, column, true);
    }
  }

  private outline(context: CanvasRenderingContext2D, l: Layout, { range }: Sight, of: Range, thick: number, dashes: number[]): void {
    context.strokeStyle = this.frame.look.accent;
    context.lineWidth = thick;
    context.setLineDash(dashes);
    const x = l.left + (of.left - range.left) * l.cellX;
    const y = l.top + (of.top - range.top) * l.cellY;
    context.strokeRect(x, y, Math.max(2, (of.right - of.left) * l.cellX), Math.max(2, (of.bottom - of.top) * l.cellY));
    context.setLineDash([]);
  }

  /** Below the map the weights of one row, or their mean; beside it those of one column. */
  private drawStrips(context: CanvasRenderingContext2D, l: Layout, sight: Sight, row: number, column: number): void {
    const { range } = sight;
    const { look } = this.frame;
    const isRow = row >= range.top && row < range.bottom;
    const isColumn = column >= range.left && column < range.right;
    const below = isRow ? this.rowValues(sight, row) : this.below;
    const { colours, signed } = this.palette.scale;
    const ink = (value: number, marked: boolean) => (signed ? look.shade(colours[value < 0 ? 2 : colours.length - 3] ?? colours[0]) : marked ? look.accent : look.line);
    const bars = (values: readonly number[], cell: number, marked: boolean, draw: (at: number, thick: number, length: number) => void) => {
      const most = values.reduce((far, value) => (Math.abs(value) > far ? Math.abs(value) : far), 1e-30);
      const thick = Math.max(0.7, Math.min(cell - 1, 16));
      values.forEach((value, i) => {
        context.fillStyle = ink(value, marked);
        draw((i + 0.5) * cell - thick / 2, thick, (Math.abs(value) / most) * (STRIP - 8) || 0);
      });
    };
    bars(below, l.cellX, isRow, (at, thick, length) => context.fillRect(l.left + at, l.top + l.height + 5, thick, length));
    if (isColumn) {
      bars(this.columnValues(sight, column), l.cellY, true, (at, thick, length) => context.fillRect(l.left + l.width + 5, l.top + at, length, thick));
    }
    this.stripNames(context, l, sight, isRow ? row : -1, isColumn ? column : -1);
  }

  private stripNames(context: CanvasRenderingContext2D, l: Layout, sight: Sight, row: number, column: number): void {
    const { words, look } = this.frame;
    context.font = `10px ${look.font}`;
    context.fillStyle = look.quiet;
    context.textBaseline = 'alphabetic';
    context.textAlign = 'left';
    const below = row >= 0 ? `${rowName(this.data, sight, row)} →` : words('mean of the rows');
    context.fillText(clip(context, below, Math.max(l.width, 90)), l.left, l.top + l.height + STRIP + 12);
    if (column >= 0) {
      context.save();
      context.translate(l.left + l.width + STRIP + 3, l.top + 2);
      context.rotate(Math.PI / 2);
      context.fillText(clip(context, `→ ${columnName(this.data, sight, column)}`, Math.max(l.height, 90)), 0, 0);
      context.restore();
    }
  }

  private rowValues({ range, values, panel }: Sight, row: number): number[] {
    return Array.from(values.subarray(row * panel.columns + range.left, row * panel.columns + range.right));
  }

  private columnValues({ range, values, panel }: Sight, column: number): number[] {
    return Array.from({ length: range.bottom - range.top }, (_none, i) => values[(range.top + i) * panel.columns + column]);
  }

  /** For each column the mean of its numbers, NaN left out. */
  private means({ range, values, panel }: Sight): number[] {
    const count = range.right - range.left;
    const sums = new Float64Array(count);
    const counts = new Float64Array(count);
    for (let r = range.top; r < range.bottom; r++) {
      for (let c = 0; c < count; c++) {
        const value = values[r * panel.columns + range.left + c];
        if (value - value === 0) {
          sums[c] += value;
          counts[c]++;
        }
      }
    }
    return Array.from(sums, (sum, i) => (counts[i] ? sum / counts[i] : 0));
  }

  /** Where a cell is seen; of a row or column alone its label. */
  spotOf(place: Place): Spot {
    const l = this.l as Layout;
    const { range } = this.sight as Sight;
    const x = place.column < 0 ? l.left : l.left + (place.column - range.left + 0.5) * l.cellX;
    const y = place.row < 0 ? l.top : l.top + (place.row - range.top) * l.cellY;
    return { x, y, below: place.row < 0 ? y : y + l.cellY };
  }

  /** The cell under a point; on a label its row or column alone, the other -1; null: nothing. */
  at(x: number, y: number): Place | null {
    const l = this.l as Layout;
    const { range } = this.sight as Sight;
    const column = range.left + Math.floor((x - l.left) / l.cellX);
    const row = range.top + Math.floor((y - l.top) / l.cellY);
    const inColumns = column >= range.left && column < range.right;
    const inRows = row >= range.top && row < range.bottom;
    if (inColumns && inRows) {
      return { row, column };
    }
    if (inRows && x < l.left) {
      return { row, column: -1 };
    }
    return inColumns && y < l.top && y > 14 ? { row: -1, column } : null;
  }
}
