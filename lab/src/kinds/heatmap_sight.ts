/** What is looked at of one panel: its numbers, perhaps without sinks, and the range of a long text; and how it is told. */
import { brief } from '../canvas.js';
import type { Words } from '../words.js';
import { addChinese } from '../words.js';
import { place, type Axis, type HeatData, type Panel } from './heatmap_data.js';
import type { Colours } from './heatmap_state.js';
import { ownScale, type Ends, type Range } from './heatmap_paint.js';

addChinese({
  'at most {value}': '最大 {value}',
  'about {value}': '约 {value}',
  'strongest {value}': '最强 {value}',
  'below {value}': '小于 {value}',
  '{value} ({before} with sinks)': '{value}（含汇聚点时为 {before}）',
  'hidden': '已隐藏',
  'places {row} → {column}': '位置 {row} → {column}'
});

export interface Sight {
  readonly panel: Panel;
  /** [rows, columns] of the panel: its own, or each row divided by what sinks leave of it; NaN where they leave nothing. */
  readonly values: Float32Array;
  /** Columns that are left out. */
  readonly hidden: ReadonlySet<number>;
  readonly range: Range;
  readonly ends: Ends;
}

/** Rows without the columns where heads rest, divided by what is left, so that they sum to 1 again. */
function withoutRests(panel: Panel, rests: ReadonlySet<number>): Float32Array {
  const values = panel.values.slice();
  for (let r = 0; r < panel.rows; r++) {
    const begin = r * panel.columns;
    let left = 0;
    for (let c = 0; c < panel.columns; c++) {
      left += rests.has(c) ? 0 : values[begin + c];
    }
    for (let c = 0; c < panel.columns; c++) {
      values[begin + c] = rests.has(c) || left <= 0 ? NaN : values[begin + c] / left;
    }
  }
  return values;
}

/** Whether sinks can be hidden: they are known, cells are places, and something is left. */
export function canHide(data: HeatData, panel: Panel): boolean {
  return data.rests.size > 0 && data.rests.size < panel.columns && panel.origin !== 'pooled';
}

export function makeSight(data: HeatData, panel: Panel, hide: boolean, colours: Colours, zoom: Range | null): Sight {
  const hides = hide && canHide(data, panel);
  const values = hides ? withoutRests(panel, data.rests) : panel.values;
  const scale = colours !== 'same' ? ownScale(values, data.scale) : data.scale;
  const cells = (at: number, block: number, count: number, up: boolean) => Math.min(count, up ? Math.ceil(at / block) : Math.floor(at / block));
  const range = zoom
    ? {
        top: cells(zoom.top, panel.rowBlock, panel.rows, false),
        bottom: cells(zoom.bottom, panel.rowBlock, panel.rows, true),
        left: cells(zoom.left, panel.columnBlock, panel.columns, false),
        right: cells(zoom.right, panel.columnBlock, panel.columns, true)
      }
    : { top: 0, bottom: panel.rows, left: 0, right: panel.columns };
  return { panel, values, hidden: hides ? data.rests : new Set(), range, ends: { low: scale.low, high: scale.high, root: colours === 'root' } };
}

/** A number with the digits that are known of it. */
export function number(value: number, exact: boolean): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  }
  return exact ? (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6) ? value.toExponential(3) : String(+value.toPrecision(4))) : String(+value.toFixed(3));
}

/** A saved value: a byte stands for a 255th of the scale. */
function rounded(data: HeatData, words: Words, value: number): string {
  const { low, high, signed } = data.scale;
  return !signed && low === 0 && value === 0 ? words('below {value}', { value: brief((high - low) / 510) }) : words('about {value}', { value: number(value, false) });
}

/** The value of a cell, with what is to be known of it. */
export function tellValue(data: HeatData, words: Words, sight: Sight, row: number, column: number): string {
  const { panel } = sight;
  const at = row * panel.columns + column;
  const exact = panel.origin === 'exact';
  const before = number(panel.values[at], exact);
  if (panel.origin === 'pooled') {
    return words(data.scale.signed ? 'strongest {value}' : 'at most {value}', { value: before });
  }
  if (sight.hidden.size === 0) {
    return exact ? before : rounded(data, words, panel.values[at]);
  }
  const value = sight.hidden.has(column) ? words('hidden') : number(sight.values[at], exact);
  return words('{value} ({before} with sinks)', { value, before });
}

export function rowName(data: HeatData, sight: Sight, row: number): string {
  return place(data.rows, row, sight.panel.rowBlock);
}

export function columnName(data: HeatData, sight: Sight, column: number): string {
  return place(data.columns, column, sight.panel.columnBlock);
}

/** Labels that stand at more than one place of their axis. */
const repeated = new WeakMap<Axis, ReadonlySet<string>>();

function isRepeated(axis: Axis, name: string): boolean {
  let names = repeated.get(axis);
  if (!names) {
    const seen = new Set<string>();
    names = new Set((axis.labels ?? []).filter(label => seen.size === seen.add(label).size));
    repeated.set(axis, names);
  }
  return names.has(name);
}

/** "the → cat: 0.1234", with the places where words alone do not tell them. */
export function tellCell(data: HeatData, words: Words, sight: Sight, row: number, column: number): string {
  const [from, to] = [rowName(data, sight, row), columnName(data, sight, column)];
  const said = `${from} → ${to}: ${tellValue(data, words, sight, row, column)}`;
  const unclear = sight.panel.origin !== 'pooled' && (isRepeated(data.rows, from) || isRepeated(data.columns, to));
  return unclear ? `${said} · ${words('places {row} → {column}', { row, column })}` : said;
}
