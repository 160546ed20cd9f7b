/** Members of a figure's JSON, each checked: a notebook may come from anywhere. */

/** Numbers with their shape. `range` says where a byte of "u8" lies: low + byte / 255 * (high - low). */
export interface Numbers {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly pooled: string;
}

/** More numbers than any figure has: beyond it the file lies. */
const MOST = 1 << 26;

export class Reader {
  constructor(readonly of: Readonly<Record<string, unknown>>, private readonly where = 'figure') {}

  private wrong(name: string, wanted: string): Error {
    return new Error(`${this.where}.${name} is not ${wanted}`);
  }

  has(name: string): boolean {
    return this.of[name] !== undefined && this.of[name] !== null;
  }

  text(name: string, otherwise?: string): string {
    const value = this.of[name];
    if (typeof value === 'string') {
      return value;
    }
    if (otherwise === undefined || this.has(name)) {
      throw this.wrong(name, 'a text');
    }
    return otherwise;
  }

  number(name: string, otherwise?: number): number {
    const value = this.of[name];
    if (typeof value === 'number' && Number.isFinite(value)) {
      return value;
    }
    if (otherwise === undefined || this.has(name)) {
      throw this.wrong(name, 'a number');
    }
    return otherwise;
  }

  /** A whole number from 0 to `most`. */
  count(name: string, most = MOST): number {
    const value = this.number(name);
    if (!Number.isInteger(value) || value < 0 || value > most) {
      throw this.wrong(name, `a whole number up to ${most}`);
    }
    return value;
  }

  flag(name: string): boolean {
    return this.of[name] === true;
  }

  object(name: string): Reader {
    const value = this.of[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.wrong(name, 'an object');
    }
    return new Reader(value as Record<string, unknown>, `${this.where}.${name}`);
  }

  list(name: string): readonly unknown[] {
    const value = this.of[name];
    if (!Array.isArray(value)) {
      throw this.wrong(name, 'a list');
    }
    return value;
  }

  objects(name: string): Reader[] {
    return this.list(name).map((value, i) => {
      if (typeof value !== 'object' || value === null) {
        throw this.wrong(`${name}[${i}]`, 'an object');
      }
      return new Reader(value as Record<string, unknown>, `${this.where}.${name}[${i}]`);
    });
  }

  texts(name: string): string[] {
    return this.list(name).map((value, i) => {
      if (typeof value !== 'string') {
        throw this.wrong(`${name}[${i}]`, 'a text');
      }
      return value;
    });
  }

  /** A list of numbers; null (not finite) becomes NaN. */
  values(name: string): Float64Array {
    return Float64Array.from(this.list(name), (value, i) => {
      if (value !== null && typeof value !== 'number') {
        throw this.wrong(`${name}[${i}]`, 'a number');
      }
      return value ?? NaN;
    });
  }

  /** {"encoding": "f32" | "f16" | "u16" | "u8", "shape": [...], "base64": "..."}, row-major, little endian. */
  numbers(name: string, low = 0, high = 1): Numbers {
    const of = this.object(name);
    const shape = [...of.values('shape')];
    const count = shape.reduce((product, side) => product * side, 1);
    if (!shape.every(side => Number.isInteger(side) && side >= 0) || count > MOST) {
      throw of.wrong('shape', 'the shape of an array');
    }
    const bytes = fromBase64(of.text('base64'));
    const encoding = of.text('encoding');
    const size = { f32: 4, f16: 2, u16: 2, u8: 1 }[encoding];
    if (!size || bytes.length !== count * size) {
      throw of.wrong('base64', `${count} numbers as ${encoding}`);
    }
    return { shape, values: decode(bytes, encoding, count, low, high), pooled: of.text('pooled', '') };
  }
}

export function fromBase64(text: string): Uint8Array {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    bytes[i] = raw.charCodeAt(i);
  }
  return bytes;
}

function decode(bytes: Uint8Array, encoding: string, count: number, low: number, high: number): Float32Array {
  const values = new Float32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    values[i] =
      encoding === 'f32'
        ? view.getFloat32(4 * i, true)
        : encoding === 'f16'
          ? half(view.getUint16(2 * i, true))
          : encoding === 'u16'
            ? between(view.getUint16(2 * i, true), low, high)
            : low + (bytes[i] / 255) * (high - low);
  }
  return values;
}

/** A "u16" is low + bits / 65534 * (high - low); the largest is no number. */
function between(bits: number, low: number, high: number): number {
  return bits === 65535 ? NaN : low + (bits / 65534) * (high - low);
}

/** IEEE 754 binary16. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const part = bits & 1023;
  if (exponent === 31) {
    return part ? NaN : sign * Infinity;
  }
  return sign * (exponent ? (1 + part / 1024) * 2 ** (exponent - 15) : (part / 1024) * 2 ** -14);
}
