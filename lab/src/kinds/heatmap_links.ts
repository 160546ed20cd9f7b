/** One panel as lines from the tokens that look (left) to those looked at (right): only links above a threshold. */
import { clip, fit } from '../canvas.js';
import type { Frame } from '../view.js';
import { Beside } from './heatmap_beside.js';
import type { HeatData } from './heatmap_data.js';
import { refit, type Palette, type Range } from './heatmap_paint.js';
import type { Place } from './heatmap_matrix.js';
import type { Spot } from './heatmap_tip.js';
import { columnName, rowName, tellValue, type Sight } from './heatmap_sight.js';

const TALL = 640;
/** Of a line of text, and how tall a text may become so that each token has one. */
const LEGIBLE = 13;
const TALLEST = 1600;
/** Of lines and labels; with the weights of every head beside them. */
const WIDEST = 720;
const WIDEST_BESIDE = 860;
/** Room that labels keep beside those weights. */
const NAMES = 100;
const LARGEST = 30;
const TOP = 26;
/** More lines than this are one grey: the strongest are drawn. */
export const MOST_LINKS = 6000;

interface Link {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly stepRow: number;
  readonly stepColumn: number;
  /** Room for a label. */
  readonly names: number;
}

/** Bins of magnitudes up to the end of the scale. */
const BINS = 4096;

function inBins(sight: Sight): Uint32Array {
  const { range, panel, values } = sight;
  const bins = new Uint32Array(BINS + 1);
  const scale = BINS / farthest(sight);
  for (let row = range.top; row < range.bottom; row++) {
    for (let at = row * panel.columns + range.left; at < row * panel.columns + range.right; at++) {
      const magnitude = Math.abs(values[at]);
      if (magnitude > 0) {
        bins[Math.min(BINS, Math.floor(magnitude * scale))]++;
      }
    }
  }
  return bins;
}

/** The edge of a bin above which there are at most `most` links. */
function edgeOf(sight: Sight, most: number): number {
  const bins = inBins(sight);
  let at = BINS + 1;
  for (let sum = 0; at > 0 && sum + bins[at - 1] <= most; at--) {
    sum += bins[at - 1];
  }
  return at;
}

/** The least magnitude above which there are at most `most` links. */
function leastOf(sight: Sight, most: number): number {
  return (edgeOf(sight, most) * farthest(sight)) / BINS;
}

/** As many of the strongest links, weakest first. Of equal ones the last stay: the bin that does not fit whole, and one more for rounding, are sorted too. */
function strongest(sight: Sight, threshold: number, most: number): Link[] {
  const least = ((edgeOf(sight, most) - 2) * farthest(sight)) / BINS;
  return linksOf(sight, Math.max(threshold, least)).slice(-most);
}

/** How many links of the range are at least as strong as the threshold; of signed values by magnitude. */
function countOf({ range, panel, values }: Sight, threshold: number): number {
  let count = 0;
  for (let row = range.top; row < range.bottom; row++) {
    for (let at = row * panel.columns + range.left; at < row * panel.columns + range.right; at++) {
      const magnitude = Math.abs(values[at]);
      count += magnitude >= threshold && magnitude > 0 ? 1 : 0;
    }
  }
  return count;
}

/** These links, weakest first. */
function linksOf({ range, panel, values }: Sight, threshold: number): Link[] {
  const found: Link[] = [];
  for (let row = range.top; row < range.bottom; row++) {
    for (let column = range.left; column < range.right; column++) {
      const value = values[row * panel.columns + column];
      if (Math.abs(value) >= threshold && value !== 0) {
        found.push({ row, column, value });
      }
    }
  }
  return found.sort((a, b) => Math.abs(a.value) - Math.abs(b.value));
}

/** Hundredths of the scale as a threshold that leaves about three links a token, of long texts fewer. */
export function usualThreshold(sight: Sight): number {
  const { range } = sight;
  const tokens = Math.max(range.bottom - range.top, range.right - range.left);
  const least = leastOf(sight, Math.min(3 * tokens, Math.max(240, tokens)));
  return Math.max(1, Math.min(99, Math.ceil(least / thresholdStep(sight) - 1e-6)));
}

function farthest({ ends }: Sight): number {
  return Math.max(Math.abs(ends.high), Math.abs(ends.low));
}

/** A hundredth of the scale. */
export function thresholdStep(sight: Sight): number {
  return farthest(sight) / 100;
}

export class Links {
  private readonly base = document.createElement('canvas');
  private l: Layout | null = null;
  private sight: Sight | null = null;
  private links: Link[] = [];
  private threshold = 0;
  private open = 0;
  private hide = false;
  private readonly beside: Beside;
  /** How many links there are; at most MOST_LINKS of them are drawn. */
  count = 0;

  constructor(private readonly frame: Frame, private readonly data: HeatData, private readonly palette: Palette) {
    this.beside = new Beside(frame, data, palette);
  }

  /** `open`: the panel whose numbers these are; `hide`: whether sinks are hidden. */
  arrange(width: number, sight: Sight, threshold: number, open: number, hide: boolean): void {
    const { range } = sight;
    const rows = range.bottom - range.top;
    const columns = range.right - range.left;
    const taken = this.beside.arrange(0.3 * Math.min(width, WIDEST_BESIDE), NAMES);
    const wide = Math.min(width, taken > 0 ? WIDEST_BESIDE : WIDEST);
    Object.assign(this, { open, hide });
    const most = Math.max(rows, columns);
    const height = Math.min(LARGEST * most, LEGIBLE * most <= TALLEST ? Math.max(TALL, LEGIBLE * most) : TALL);
    this.sight = sight;
    this.threshold = threshold;
    this.count = countOf(sight, threshold);
    this.links = this.count > MOST_LINKS ? strongest(sight, threshold, MOST_LINKS) : linksOf(sight, threshold);
    this.l = { width: wide, height, left: wide * 0.3, right: wide * 0.7, stepRow: height / rows, stepColumn: height / columns, names: wide * 0.3 - 14 - taken };
    const context = fit(this.base, wide, height + TOP + 4);
    this.drawLinks(context, null, 1);
    this.drawLabels(context);
  }

  private y(l: Layout, side: 'row' | 'column', index: number): number {
    const { range } = this.sight as Sight;
    return TOP + (side === 'row' ? (index - range.top + 0.5) * l.stepRow : (index - range.left + 0.5) * l.stepColumn);
  }

  private colour(value: number): string {
    const { look } = this.frame;
    const { colours, signed } = this.palette.scale;
    return signed ? look.shade(colours[value < 0 ? 2 : colours.length - 3] ?? colours[0]) : look.shade('#10527c');
  }

  /** The links, or those of one row or column; width and opacity by weight. */
  private drawLinks(context: CanvasRenderingContext2D, only: Place | null, share: number): void {
    const l = this.l as Layout;
    const sight = this.sight as Sight;
    const far = farthest(sight);
    const thick = Math.max(0.5, Math.min(3.4, 0.7 * l.stepRow));
    for (const link of only ? this.of(only).reverse() : this.links) {
      const strength = Math.min(1, Math.abs(link.value) / far);
      context.globalAlpha = share * (0.16 + 0.84 * strength);
      context.lineWidth = 0.6 + (only ? 3.4 : thick) * strength;
      context.strokeStyle = only ? this.frame.look.accent : this.colour(link.value);
      context.beginPath();
      const from = this.y(l, 'row', link.row);
      const to = this.y(l, 'column', link.column);
      const bend = (l.right - l.left) * 0.35;
      context.moveTo(l.left, from);
      context.bezierCurveTo(l.left + bend, from, l.right - bend, to, l.right, to);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  private drawLabels(context: CanvasRenderingContext2D): void {
    const l = this.l as Layout;
    const sight = this.sight as Sight;
    const { range } = sight;
    const { look } = this.frame;
    context.font = `11px ${look.font}`;
    context.fillStyle = look.quiet;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    context.fillText(clip(context, this.data.rows.title, l.left), l.left - 8, 10);
    context.textAlign = 'left';
    context.fillText(clip(context, this.data.columns.title, l.left), l.right + 8, 10);
    const step = (each: number) => Math.max(1, Math.ceil(12 / each));
    for (let r = range.top; r < range.bottom; r += step(l.stepRow)) {
      this.label(context, 'row', r, false);
    }
    for (let c = range.left; c < range.right; c += step(l.stepColumn)) {
      this.label(context, 'column', c, false);
    }
  }

  private label(context: CanvasRenderingContext2D, side: 'row' | 'column', index: number, marked: boolean): void {
    const l = this.l as Layout;
    const sight = this.sight as Sight;
    const { look } = this.frame;
    const y = this.y(l, side, index);
    const text = clip(context, side === 'row' ? rowName(this.data, sight, index) : columnName(this.data, sight, index), l.names);
    const hidden = side === 'column' && sight.hidden.has(index);
    context.font = `${marked ? 'bold ' : ''}12px ${look.font}`;
    context.textBaseline = 'middle';
    context.textAlign = side === 'row' ? 'right' : 'left';
    const x = side === 'row' ? l.left - 8 : l.right + 8;
    if (marked) {
      const wide = context.measureText(text).width;
      context.fillStyle = look.paper;
      context.fillRect(side === 'row' ? x - wide - 2 : x - 2, y - 8, wide + 4, 16);
    }
    context.fillStyle = marked ? look.accent : hidden ? look.line : look.ink;
    context.fillText(text, x, y);
  }

  /** Shows all links, or on a quieter ground those of the marked token: `at` has a row or a column, the other is -1. */
  paint(canvas: HTMLCanvasElement, at: Place | null, chosen: Range | null): void {
    const l = this.l as Layout;
    const context = refit(canvas, l.width, l.height + TOP + 4);
    this.beside.clear();
    if (at) {
      this.paintToken(context, l, at);
    } else {
      context.drawImage(this.base, 0, 0, l.width, l.height + TOP + 4);
    }
    if (chosen) {
      context.strokeStyle = this.frame.look.accent;
      context.lineWidth = 2;
      context.setLineDash([5, 3]);
      context.strokeRect(4, this.y(l, 'row', chosen.top) - l.stepRow / 2, l.left - 8, (chosen.bottom - chosen.top) * l.stepRow);
      context.strokeRect(l.right + 4, this.y(l, 'column', chosen.left) - l.stepColumn / 2, l.left - 8, (chosen.right - chosen.left) * l.stepColumn);
      context.setLineDash([]);
    }
  }

  private paintToken(context: CanvasRenderingContext2D, l: Layout, at: Place): void {
    context.globalAlpha = 0.22;
    context.drawImage(this.base, 0, 0, l.width, l.height + TOP + 4);
    context.globalAlpha = 1;
    this.drawLinks(context, at, 1);
    this.drawLabels(context);
    for (const link of this.of(at)) {
      this.label(context, at.row >= 0 ? 'column' : 'row', at.row >= 0 ? link.column : link.row, true);
    }
    this.label(context, at.row >= 0 ? 'row' : 'column', at.row >= 0 ? at.row : at.column, true);
    this.paintBeside(context, l, at);
  }

  /** The token in every head, beside the labels of the other side. */
  private paintBeside(context: CanvasRenderingContext2D, l: Layout, at: Place): void {
    const { panel, range, ends } = this.sight as Sight;
    const { rowBlock, columnBlock } = panel;
    const { rows, columns } = this.data;
    const isRow = at.row >= 0;
    const places = {
      ...{ top: range.top * rowBlock, bottom: Math.min(rows.source, range.bottom * rowBlock) },
      ...{ left: range.left * columnBlock, right: Math.min(columns.source, range.right * columnBlock) }
    };
    const marked = { open: this.open, at: { row: isRow ? at.row * rowBlock : -1, column: isRow ? -1 : at.column * columnBlock }, range: places, hide: this.hide };
    const left = isRow ? l.right + 12 + l.names : 2;
    this.beside.draw(context, marked, { left, top: TOP, step: isRow ? l.stepColumn : l.stepRow }, ends.root);
  }

  /** What is said of a head beside the marked token, and its panel; null where none is. */
  headAt(x: number, y: number): { panel: number; said: string } | null {
    return this.beside.at(x, y);
  }

  /** The strongest link of the marked token in any head; '' where none is marked. */
  tellHeads(): string {
    return this.beside.tell();
  }

  /** The links of one token, strongest first. */
  private of(at: Place): Link[] {
    const sight = this.sight as Sight;
    const { top, bottom, left, right } = sight.range;
    const range = at.row >= 0 ? { top: at.row, bottom: at.row + 1, left, right } : { top, bottom, left: at.column, right: at.column + 1 };
    return linksOf({ ...sight, range }, this.threshold).reverse();
  }

  /** "cat → the 0.42, [SEP] 0.2": the strongest links of a token. */
  tell(at: Place): string {
    const sight = this.sight as Sight;
    const links = this.of(at);
    const value = (link: Link) => tellValue(this.data, this.frame.words, sight, link.row, link.column);
    const told = links.slice(0, 5).map(link => `${at.row >= 0 ? columnName(this.data, sight, link.column) : rowName(this.data, sight, link.row)} ${value(link)}`);
    const rest = links.length > 5 ? ` … (${links.length})` : '';
    return at.row >= 0 ? `${rowName(this.data, sight, at.row)} → ${told.join(', ') || '–'}${rest}` : `${told.join(', ') || '–'}${rest} → ${columnName(this.data, sight, at.column)}`;
  }

  /** Where there is room to say something of a token: among the lines. */
  spotOf(place: Place): Spot {
    const l = this.l as Layout;
    const y = place.row >= 0 ? this.y(l, 'row', place.row) : this.y(l, 'column', place.column);
    return { x: l.left, y, below: y };
  }

  /** The token nearest to a point: a row on the left half, a column on the right. */
  at(x: number, y: number): Place | null {
    const l = this.l as Layout;
    const { range } = this.sight as Sight;
    if (y < TOP || y >= TOP + l.height || (x > l.left + 40 && x < l.right - 40)) {
      return null;
    }
    return x < l.width / 2 ? { row: range.top + Math.floor((y - TOP) / l.stepRow), column: -1 } : { row: -1, column: range.left + Math.floor((y - TOP) / l.stepColumn) };
  }
}
