/** A text and the tokens that stand in it by their bytes: what the views of texts have in common. */
import type { Look } from '../look.js';

/** Colours of words or models in turn, and the second shade of each for every other token: those of core/draw/tokens.c, and dark ones. */
const TURNS = [
  ['#cfe3f7', '#a9ccee', '#1c4569', '#2c6aa3'],
  ['#fbe0b8', '#f3c67f', '#5c3f0d', '#8a6118'],
  ['#cdebd9', '#9fd8b7', '#174c33', '#2a7a52'],
  ['#f3d3e3', '#e6aac8', '#5c2744', '#8c3f69'],
  ['#e3dcf5', '#c8bbea', '#392e75', '#5a4bb0']
];

export function turnColour(look: Look, turn: number, second: boolean): string {
  const whole = Math.trunc(turn) || 0;
  return TURNS[((whole % TURNS.length) + TURNS.length) % TURNS.length][(look.dark ? 2 : 0) + (second ? 1 : 0)];
}

/** Places in a text by the bytes of its UTF-8. */
export class Bytes {
  /** The place in the string of each byte that begins a character; of others that of the character they are in. */
  private readonly places: Uint32Array;
  readonly bytes: Uint8Array;

  constructor(readonly text: string) {
    this.bytes = new TextEncoder().encode(text);
    this.places = new Uint32Array(this.bytes.length + 1);
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) ?? 0;
      const long = code > 0xffff;
      const size = code < 0x80 ? 1 : code < 0x800 ? 2 : long ? 4 : 3;
      this.places.fill(i, at, Math.min(at + size, this.places.length));
      at += size;
      i += long ? 1 : 0;
    }
    this.places[this.bytes.length] = text.length;
  }

  has(begin: number, end: number): boolean {
    return begin >= 0 && begin < end && end <= this.bytes.length;
  }

  slice(begin: number, end: number): string {
    return this.text.slice(this.places[begin], this.places[end]);
  }

  hex(begin: number, end: number): string {
    return Array.from(this.bytes.subarray(begin, end), byte => byte.toString(16).padStart(2, '0')).join(' ');
  }
}

/** Marks that turn what stands beside them about, or that cannot be seen, by their numbers; joiners of emoji and of Persian stay. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu, mark =>
    `[U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
  );
}

/** A number as it is said: four digits, whole numbers whole. */
export function told(value: number): string {
  if (Number.isNaN(value)) {
    return '–';
  }
  const near = +value.toPrecision(4);
  return Number.isInteger(value) ? String(value) : Math.abs(near) >= 1e-3 && Math.abs(near) < 1e6 ? String(near) : value.toExponential(3);
}

/** A token or some neighbours of one word or clause. */
export interface Unit {
  readonly first: number;
  readonly last: number;
}

/** Neighbours with the same number go together. */
export function unitsOf(groups: ArrayLike<number>): Unit[] {
  const units: Unit[] = [];
  for (let i = 0, k = 0; i < groups.length; i = k) {
    for (k = i + 1; k < groups.length && groups[k] === groups[i]; k++);
    units.push({ first: i, last: k - 1 });
  }
  return units;
}

/**
 * Bytes behind which a clause ends: behind 。，；！？; wherever they stand, behind , ; . ! ? before a blank, a line's or the
 * text's end, each with the marks and closing quotes that follow; and at every line's end.
 */
function clauseEnds(bytes: Bytes): number[] {
  const ends: number[] = [];
  const found = /(?:[。，；！？;]|[,.!?](?=[,.!?;"'”’」』）)\]]*(?:\s|$)))[。，；！？;,.!?"'”’」』）)\]]*|\n/gu;
  const encoder = new TextEncoder();
  let at = 0;
  let told = 0;
  for (const match of bytes.text.matchAll(found)) {
    const end = match.index + match[0].length;
    at += encoder.encode(bytes.text.slice(told, end)).length;
    told = end;
    ends.push(at);
  }
  return ends;
}

/** The clause of each token: that of its first byte which is no blank; tokens that stand for no text go with the one before. */
export function clausesOf(bytes: Bytes, span: ArrayLike<number>, count: number): number[] {
  const ends = clauseEnds(bytes);
  let clause = 0;
  return Array.from({ length: count }, (_none, i) => {
    let begin = span[2 * i];
    const end = span[2 * i + 1];
    if (bytes.has(begin, end)) {
      while (begin < end - 1 && bytes.bytes[begin] <= 0x20) {
        begin++;
      }
      while (clause < ends.length && ends[clause] <= begin) {
        clause++;
      }
    }
    return clause;
  });
}

/** Sums or means of a series over units; what is no number (the first token's surprisal) is left out; NaN where nothing is left. */
export function joined(values: ArrayLike<number>, units: readonly Unit[], mean: boolean): Float64Array {
  return Float64Array.from(units, ({ first, last }) => {
    let sum = 0;
    let count = 0;
    for (let i = first; i <= last; i++) {
      if (!Number.isNaN(values[i])) {
        sum += values[i];
        count++;
      }
    }
    return count === 0 ? NaN : mean ? sum / count : sum;
  });
}
