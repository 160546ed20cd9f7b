/** The overview: every panel as a thumbnail, by layer and head or in the order of a score. */
import { clip, fit } from '../canvas.js';
import type { Frame } from '../view.js';
import { drawCells } from './heatmap_cells.js';
import { label, place, type Axis, type HeatData } from './heatmap_data.js';
import { scoreOf, short } from './heatmap_order.js';
import type { Colours } from './heatmap_state.js';
import type { Spot } from './heatmap_tip.js';
import { makeSight, tellCell, type Sight } from './heatmap_sight.js';
import { BAR_WIDTH, drawBar, refit, type Palette } from './heatmap_paint.js';

const GAP = 5;
const LARGEST = 190;
const SMALLEST = 22;
const PLEASANT = 36;
/** Panels in a row and column, and cells in these, that may have labels and numbers of their own. */
const FEW_PANELS = 4;
const FEW_CELLS = 20;
const LEAST_CELL = 18;
const LARGEST_CELL = 40;
/** A cell at least so wide can be pointed at. */
const MEANT = 6;
/** Height that a grid takes where its thumbnails could be larger. */
const TALL = 820;
/** Of two lines under a thumbnail. */
const CAPTION = 27;

interface GridSettings {
  readonly order: string;
  readonly panels: readonly number[];
  readonly colours: Colours;
}

/** Where the thumbnails stand. */
interface Layout {
  readonly across: number;
  readonly down: number;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly pitchX: number;
  readonly pitchY: number;
  /** Room left of and above each panel for labels of its own; 0: it has none. */
  readonly beside: number;
  readonly above: number;
  /** Layers from left to right: it makes larger thumbnails where there are more layers than heads. */
  readonly turned: boolean;
}

export class Grid {
  private readonly base = document.createElement('canvas');
  private layout: Layout | null = null;
  private settings: GridSettings = { order: '', panels: [], colours: 'same' };

  constructor(private readonly frame: Frame, private readonly data: HeatData, private readonly palette: Palette) {}

  /** Lays out and draws for a width; then `paint` shows it. */
  arrange(width: number, settings: GridSettings): void {
    this.settings = settings;
    this.layout = scoreOf(this.data, settings.order) ? this.ranked(width) : (this.labelled(width) ?? this.plain(width));
    this.draw();
  }

  /** Few panels of few cells, each with its labels and numbers; null where there is no room. */
  private labelled(width: number): Layout | null {
    const { rows, columns, panelRows, panelColumns } = this.data;
    if (panelColumns.count > FEW_PANELS || panelRows.count > FEW_PANELS || rows.count > FEW_CELLS || columns.count > FEW_CELLS) {
      return null;
    }
    const probe = fit(document.createElement('canvas'), 1, 1);
    probe.font = `11px ${this.frame.look.font}`;
    const widest = (axis: Axis) => Math.min(90, Math.max(...Array.from({ length: axis.count }, (_none, i) => probe.measureText(place(axis, i, axis.block)).width)));
    const beside = widest(rows) + 8;
    const above = widest(columns) * 0.72 + 28;
    const cell = Math.min(LARGEST_CELL, ((width - BAR_WIDTH - 30) / panelColumns.count - beside - 3 * GAP) / columns.count);
    if (cell < LEAST_CELL) {
      return null;
    }
    const [wide, high] = [cell * columns.count, cell * rows.count];
    return {
      ...{ across: panelColumns.count, down: panelRows.count, left: 20 + beside, top: 20 + above, width: wide, height: high, turned: false },
      ...{ pitchX: beside + wide + 3 * GAP, pitchY: above + high + 3 * GAP, beside, above }
    };
  }

  private plain(width: number): Layout {
    const rows = this.data.panelRows.count;
    const columns = this.data.panelColumns.count;
    const left = 62;
    const top = 36;
    const room = width - left - BAR_WIDTH - 8;
    const side = (across: number, down: number) => Math.min(room / across, TALL / down) - GAP;
    const turned = side(rows, columns) > side(columns, rows) * 1.2;
    const [across, down] = turned ? [rows, columns] : [columns, rows];
    const size = Math.max(SMALLEST, Math.min(LARGEST, side(across, down)), Math.min(room / across - GAP, PLEASANT));
    return this.laid(across, down, left, top, Math.min(size, Math.max(6, room / across - GAP)), 0, turned);
  }

  private ranked(width: number): Layout {
    const count = this.data.panels;
    const room = width - BAR_WIDTH - 8;
    const size = Math.max(48, Math.min(120, Math.sqrt((room * TALL) / count) - GAP - CAPTION / 2));
    const across = Math.max(1, Math.min(count, Math.floor((room + GAP) / (size + GAP))));
    return this.laid(across, Math.ceil(count / across), 4, 4, size, CAPTION, false);
  }

  private laid(across: number, down: number, left: number, top: number, size: number, below: number, turned: boolean): Layout {
    const aspect = this.data.rows.source / this.data.columns.source;
    const width = size * Math.min(1, Math.max(0.4, 1 / aspect));
    const height = size * Math.min(1, Math.max(0.4, aspect));
    return { across, down, left, top, width, height, pitchX: width + GAP, pitchY: height + GAP + below, beside: 0, above: 0, turned };
  }

  /** Where the panel that stands at `position` of the order is seen. */
  private spot(position: number): { x: number; y: number } {
    const l = this.layout as Layout;
    const [row, column] = l.turned ? [position % l.down, Math.floor(position / l.down)] : [Math.floor(position / l.across), position % l.across];
    return { x: l.left + column * l.pitchX, y: l.top + row * l.pitchY };
  }

  private size(): { width: number; height: number } {
    const l = this.layout as Layout;
    const width = l.left - l.beside + l.across * l.pitchX + BAR_WIDTH;
    return { width, height: Math.max(l.top - l.above + l.down * l.pitchY, Math.min(200, l.top + 140)) };
  }

  private draw(): void {
    const { width, height } = this.size();
    const context = fit(this.base, width, height);
    const l = this.layout as Layout;
    this.settings.panels.forEach((panel, position) => this.drawPanel(context, panel, position));
    if (scoreOf(this.data, this.settings.order)) {
      this.drawCaptions(context);
    } else if (l.beside > 0) {
      this.drawTitles(context, l);
    } else {
      this.drawLabels(context, l);
    }
    if (this.settings.colours === 'same') {
      drawBar(context, this.palette, this.frame.look, { ...this.data.scale, root: false }, l.left - l.beside + l.across * l.pitchX + 6, l.top, Math.min(220, height - l.top - 12));
    }
  }

  private drawPanel(context: CanvasRenderingContext2D, panel: number, position: number): void {
    const l = this.layout as Layout;
    const { x, y } = this.spot(position);
    const sight = this.sight(panel);
    drawCells(context, { left: x, top: y, cellX: l.width / sight.panel.columns, cellY: l.height / sight.panel.rows }, sight, this.palette, this.frame.look);
    if (l.beside > 0) {
      this.drawOwnLabels(context, panel, x, y);
    }
  }

  private sight(panel: number): Sight {
    return makeSight(this.data, this.data.sent(panel), false, this.settings.colours, null);
  }

  /** The panel's name and the labels of its rows and columns. */
  private drawOwnLabels(context: CanvasRenderingContext2D, panel: number, x: number, y: number): void {
    const l = this.layout as Layout;
    const { rows, columns } = this.data;
    const { look } = this.frame;
    context.fillStyle = look.ink;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.font = `bold 12px ${look.font}`;
    context.fillText(clip(context, this.data.panelName(panel), l.width), x, y - l.above + 8);
    context.font = `11px ${look.font}`;
    for (let c = 0; c < columns.count; c++) {
      context.save();
      context.translate(x + ((c + 0.5) * l.width) / columns.count, y - 5);
      context.rotate(-Math.PI / 4);
      context.fillText(clip(context, place(columns, c, columns.block), 90), 0, 0);
      context.restore();
    }
    context.textAlign = 'right';
    for (let r = 0; r < rows.count; r++) {
      context.fillText(clip(context, place(rows, r, rows.block), l.beside - 6), x - 5, y + ((r + 0.5) * l.height) / rows.count);
    }
  }

  /** What rows and columns of labelled panels are. */
  private drawTitles(context: CanvasRenderingContext2D, l: Layout): void {
    const { look } = this.frame;
    context.fillStyle = look.quiet;
    context.font = `11px ${look.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(this.data.columns.title, l.left - l.beside + (l.across * l.pitchX) / 2, 9);
    context.save();
    context.translate(9, l.top - l.above + (l.down * l.pitchY) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(this.data.rows.title, 0, 0);
    context.restore();
  }

  private drawLabels(context: CanvasRenderingContext2D, l: Layout): void {
    const { look } = this.frame;
    const [above, beside] = l.turned ? [this.data.panelRows, this.data.panelColumns] : [this.data.panelColumns, this.data.panelRows];
    context.fillStyle = look.ink;
    context.font = `11px ${look.font}`;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (let i = 0; i < l.down && beside.name; i++) {
      context.fillText(clip(context, label(beside, i), l.left - 26), l.left - 7, l.top + i * l.pitchY + l.height / 2);
    }
    context.textAlign = 'center';
    for (let i = 0; i < l.across && above.name; i++) {
      context.fillText(clip(context, label(above, i), l.pitchX - 2), l.left + i * l.pitchX + l.width / 2, l.top - 10);
    }
    context.fillStyle = look.quiet;
    context.fillText(above.title, l.left + (l.across * l.pitchX - GAP) / 2, l.top - 26);
    context.translate(10, l.top + (l.down * l.pitchY - GAP) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(beside.title, 0, 0);
    context.rotate(Math.PI / 2);
    context.translate(-10, -l.top - (l.down * l.pitchY - GAP) / 2);
  }

  private drawCaptions(context: CanvasRenderingContext2D): void {
    const l = this.layout as Layout;
    const { look } = this.frame;
    const values = scoreOf(this.data, this.settings.order)?.values;
    context.textBaseline = 'alphabetic';
    context.textAlign = 'center';
    this.settings.panels.forEach((panel, position) => {
      const { x, y } = this.spot(position);
      context.font = `10px ${look.font}`;
      context.fillStyle = look.quiet;
      context.fillText(clip(context, this.shortName(panel), l.pitchX), x + l.width / 2, y + l.height + 11);
      context.font = `bold 10px ${look.font}`;
      context.fillStyle = look.ink;
      context.fillText(values ? short(values[panel]) : '', x + l.width / 2, y + l.height + 23);
    });
  }

  private shortName(panel: number): string {
    const row = label(this.data.panelRows, Math.floor(panel / this.data.panelColumns.count));
    const column = label(this.data.panelColumns, panel % this.data.panelColumns.count);
    return this.data.areHeads ? this.frame.words('L{row} H{column}', { row, column }) : this.data.panelName(panel);
  }

  /** Shows the grid with the panel at `position` marked; -1: none. */
  paint(canvas: HTMLCanvasElement, position: number): void {
    const { width, height } = this.size();
    const l = this.layout as Layout;
    const context = refit(canvas, width, height);
    context.drawImage(this.base, 0, 0, width, height);
    if (position >= 0) {
      const { x, y } = this.spot(position);
      context.strokeStyle = this.frame.look.accent;
      context.lineWidth = 2.5;
      context.strokeRect(x - 2, y - 2, l.width + 4, l.height + 4);
    }
  }

  spotOf(position: number): Spot {
    const { x, y } = this.spot(position);
    const { width, height } = this.layout as Layout;
    return { x: x + width / 2, y, below: y + height };
  }

  /** The position of the panel under a point; -1: none. */
  at(x: number, y: number): number {
    const l = this.layout as Layout;
    const column = Math.floor((x - l.left + l.beside + GAP / 2) / l.pitchX);
    const row = Math.floor((y - l.top + l.above + GAP / 2) / l.pitchY);
    if (column < 0 || column >= l.across || row < 0 || row >= l.down) {
      return -1;
    }
    const position = l.turned ? column * l.down + row : row * l.across + column;
    return position < this.settings.panels.length ? position : -1;
  }

  /** "the → cat: 0.1": the cell of that panel under a point, where cells are large enough to be meant; '' elsewhere. */
  tellCell(position: number, x: number, y: number): string {
    const l = this.layout as Layout;
    const spot = this.spot(position);
    const sight = this.sight(this.settings.panels[position]);
    const row = Math.floor(((y - spot.y) / l.height) * sight.panel.rows);
    const column = Math.floor(((x - spot.x) / l.width) * sight.panel.columns);
    const inside = row >= 0 && row < sight.panel.rows && column >= 0 && column < sight.panel.columns;
    return inside && l.width / sight.panel.columns >= MEANT ? tellCell(this.data, this.frame.words, sight, row, column) : '';
  }

  /** Where an arrow key leads from `position`. */
  move(position: number, right: number, down: number): number {
    const l = this.layout as Layout;
    const step = l.turned ? right * l.down + down : right + down * l.across;
    const to = position + step;
    return position < 0 ? 0 : to < 0 || to >= this.settings.panels.length ? position : to;
  }
}
