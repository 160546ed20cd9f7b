/** What the kernel sends of a heat map or a grid of them (core/draw/cells.h), checked, and where better numbers come from. */
import { fromBase64, Reader } from '../reader.js';
import type { Frame } from '../view.js';
import { addChinese } from '../words.js';
import { visible } from '../visible.js';

addChinese({ 'layer {row} head {column}': '第 {row} 层第 {column} 头', 'L{row} H{column}': '层{row} 头{column}' });

export interface Axis {
  readonly name: string;
  readonly title: string;
  /** Places that were sent, each the pool of `block` of the `source` places there are. */
  readonly count: number;
  readonly source: number;
  readonly block: number;
  readonly labels: readonly string[] | null;
}

export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly signed: boolean;
  readonly unit: string;
  readonly colours: readonly string[];
}

/** A number for every panel by which they can be ordered. */
export interface Score {
  readonly name: string;
  readonly unit: string;
  readonly values: Float32Array;
}

/** How good the numbers of a panel are: those of the result, rounded to a 255th of the scale, or the strongest of each pool. */
type Origin = 'exact' | 'rounded' | 'pooled';

export interface Panel {
  readonly rows: number;
  readonly columns: number;
  readonly rowBlock: number;
  readonly columnBlock: number;
  readonly values: Float32Array;
  readonly origin: Origin;
}

/** No figure has more; beyond it a file wants to fill the memory. */
const MOST_PLACES = 1 << 16;
const MOST_PANELS = 1 << 14;
const MOST_CELLS = 1 << 23;
const LONGEST = 1000;
/** Bytes of exact panels that are kept. */
const KEPT = 1 << 26;

/** Longer labels than any that the kernel sends are cut before they are measured. */
function brief(text: string): string {
  return visible(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

function readAxis(reader: Reader): Axis {
  const axis = {
    name: reader.text('name'),
    title: visible(reader.text('title')).replace('∅', ''),
    count: reader.count('count', MOST_PLACES),
    source: reader.count('source', MOST_PLACES),
    block: reader.count('block', MOST_PLACES),
    labels: reader.has('labels') ? reader.texts('labels').map(brief) : null
  };
  if (axis.count < 1 || axis.block < 1 || Math.ceil(axis.source / axis.block) !== axis.count || (axis.labels && axis.labels.length !== axis.source)) {
    throw new Error(`${axis.count} places of ${axis.block} are not the axis '${axis.name}' of ${axis.source}`);
  }
  return axis;
}

function readScale(reader: Reader): Scale {
  const scale = {
    low: reader.number('low'),
    high: reader.number('high'),
    signed: reader.flag('signed'),
    unit: reader.text('unit', ''),
    colours: reader.texts('colours')
  };
  if (!(scale.high > scale.low) || scale.colours.length < 2 || scale.colours.length > 256) {
    throw new Error(`a scale of ${scale.colours.length} colours from ${scale.low} to ${scale.high}`);
  }
  return scale;
}

/** Bytes packed in half bytes (core/draw/nibbles.h); throws where they are not `count`. */
function unpack(packed: Uint8Array, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  let at = 0;
  const next = () => (at < 2 * packed.length ? (packed[at >> 1] >> (at++ & 1 ? 0 : 4)) & 15 : -1);
  for (let i = 0; i < count; ) {
    const code = next();
    const value = code < 14 ? code : (next() << 4) | next();
    if (code < 0 || value < 0 || (code === 15 && i + value + 3 > count)) {
      throw new Error(`a panel of ${count} cells ends at ${i}`);
    }
    if (code === 15) {
      i += value + 3;
    } else {
      bytes[i++] = value;
    }
  }
  return bytes;
}

export class HeatData {
  readonly panelRows: Axis;
  readonly panelColumns: Axis;
  readonly rows: Axis;
  readonly columns: Axis;
  readonly panels: number;
  readonly scale: Scale;
  readonly scores: readonly Score[];
  /** Places of the columns where heads rest that find nothing; empty where none are known. */
  readonly rests: ReadonlySet<number>;
  private readonly values: Float32Array;
  private readonly exactly: boolean;
  private readonly series: string;
  private readonly panelAxes: number;
  private readonly whole = new Map<number, string>();
  private readonly kept = new Map<number, Panel>();

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const axes = reader.objects('axes').map(readAxis);
    if (axes.length !== 4) {
      throw new Error(`a heat map has 4 axes, not ${axes.length}`);
    }
    [this.panelRows, this.panelColumns, this.rows, this.columns] = axes;
    this.panels = this.panelRows.count * this.panelColumns.count;
    this.scale = readScale(reader.object('scale'));
    const { shape, values } = reader.numbers('values', this.scale.low, this.scale.high);
    if (shape.length !== 4 || shape.some((side, i) => side !== axes[i].count) || this.panels > MOST_PANELS) {
      throw new Error(`values of the shape ${shape.join(' × ')} for axes of ${axes.map(axis => axis.count).join(' × ')}`);
    }
    this.values = values;
    this.exactly = reader.object('values').text('encoding') === 'f32';
    this.series = reader.text('series', '');
    this.panelAxes = reader.has('panelAxes') ? reader.count('panelAxes', 2) : 2;
    this.rests = new Set(reader.has('rests') ? reader.values('rests') : []);
    this.scores = reader.has('scores') ? reader.objects('scores').map(score => this.readScore(score)) : [];
    for (const one of reader.has('whole') ? reader.objects('whole') : []) {
      const [row, column] = one.values('at');
      this.whole.set(row * this.panelColumns.count + column, one.text('nibbles'));
    }
  }

  private readScore(reader: Reader): Score {
    const values = reader.numbers('values').values;
    if (values.length !== this.panels) {
      throw new Error(`${values.length} scores for ${this.panels} panels`);
    }
    return { name: reader.text('name'), unit: reader.text('unit', ''), values };
  }

  get pooled(): boolean {
    return this.rows.block > 1 || this.columns.block > 1;
  }

  /** The cells of a panel as they were sent for all of them. */
  sent(panel: number): Panel {
    const each = this.rows.count * this.columns.count;
    return {
      rows: this.rows.count,
      columns: this.columns.count,
      rowBlock: this.rows.block,
      columnBlock: this.columns.block,
      values: this.values.subarray(panel * each, (panel + 1) * each),
      origin: this.pooled ? 'pooled' : this.exactly ? 'exact' : 'rounded'
    };
  }

  /** The best numbers of a panel that are here already. */
  best(panel: number): Panel {
    const kept = this.kept.get(panel);
    const whole = this.whole.get(panel);
    if (kept) {
      this.kept.delete(panel); /* what was asked for last goes last */
      this.kept.set(panel, kept);
    }
    if (kept || whole === undefined || this.rows.source * this.columns.source > MOST_CELLS) {
      return kept ?? this.sent(panel);
    }
    try {
      return this.keep(panel, this.unpacked(whole), 'rounded');
    } catch {
      this.whole.delete(panel);
      return this.sent(panel); /* the file is damaged there; the pools are whole */
    }
  }

  /** The same of one of so many that are looked at together: of those that would push each other out, what is here. */
  bestOf(many: number, panel: number): Panel {
    const fits = many * this.rows.source * this.columns.source * Float32Array.BYTES_PER_ELEMENT <= KEPT;
    return fits ? this.best(panel) : (this.kept.get(panel) ?? this.sent(panel));
  }

  private unpacked(whole: string): Float32Array {
    const bytes = unpack(fromBase64(whole), this.rows.source * this.columns.source);
    const { low, high, signed } = this.scale;
    const value = Float32Array.from({ length: 256 }, (_none, byte) => low + ((signed ? middle(byte) : byte) / 255) * (high - low));
    const values = new Float32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      values[i] = value[bytes[i]];
    }
    return values;
  }

  /** Asks the living kernel for the numbers themselves; null where there is none to ask or nothing better to have. */
  exact(panel: number): Promise<Panel> | null {
    const { kernel, figure } = this.frame;
    if (!kernel || this.best(panel).origin === 'exact' || !this.series) {
      return null;
    }
    const at = [Math.floor(panel / this.panelColumns.count), panel % this.panelColumns.count].slice(2 - this.panelAxes);
    return kernel.tile(figure.result, this.series, at).then(({ values }) => {
      if (values.length !== this.rows.source * this.columns.source) {
        throw new Error(`the kernel sent ${values.length} numbers for ${this.rows.source} × ${this.columns.source}`);
      }
      return this.keep(panel, values, 'exact');
    });
  }

  private keep(panel: number, values: Float32Array, origin: Origin): Panel {
    const made = { rows: this.rows.source, columns: this.columns.source, rowBlock: 1, columnBlock: 1, values, origin };
    for (const old of this.kept.keys()) {
      if ((this.kept.size + 1) * values.byteLength > KEPT) {
        this.kept.delete(old);
      }
    }
    this.kept.set(panel, made);
    return made;
  }

  /** "layer 3 head 5"; "" where there is one panel alone. */
  panelName(panel: number): string {
    const row = label(this.panelRows, Math.floor(panel / this.panelColumns.count));
    const column = label(this.panelColumns, panel % this.panelColumns.count);
    if (this.areHeads) {
      return this.frame.words('layer {row} head {column}', { row, column });
    }
    return [this.panelRows.name && `${this.panelRows.title} ${row}`, this.panelColumns.name && `${this.panelColumns.title} ${column}`].filter(Boolean).join(' ');
  }

  get areHeads(): boolean {
    return this.panelRows.name === 'layer' && this.panelColumns.name === 'head';
  }
}

/** 0, -1, 1, -2, 2 ... from the middle byte. */
function middle(byte: number): number {
  return 128 + (byte & 1 ? -(byte + 1) / 2 : byte / 2);
}

/** The label of a place before pooling. */
export function label(axis: Axis, place: number): string {
  return axis.labels ? axis.labels[place] : String(place);
}

/** The label of cell `i` of cells of `block` places: "cat", or "12–17". */
export function place(axis: Axis, i: number, block: number): string {
  return block === 1 ? label(axis, i) : `${i * block}–${Math.min(axis.source, (i + 1) * block) - 1}`;
}
