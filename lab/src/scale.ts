/** Where a value stands on a length of pixels, and the ticks there: what core/draw/ruler.c does for the kernel's pictures. */

export interface Span {
  readonly low: number;
  readonly high: number;
}

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 10 to a whole power, as "10⁻⁷". */
function power(before: string, exponent: number): string {
  return `${before}10${String(exponent).replace(/-/g, '⁻').replace(/\d/g, digit => RAISED[+digit])}`;
}

/** "1,234,567" */
export function countText(count: number): string {
  return Math.abs(count) < 1e15 ? String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',') : numberText(count);
}

/** "0.4213", "1,234", "3.1×10⁻⁷": a value with so many digits, wherever it lies. */
export function numberText(value: number, digits = 4): string {
  const size = Math.abs(value);
  if (Number.isNaN(value) || size === Infinity || value === 0) {
    return Number.isNaN(value) ? 'NaN' : value === 0 ? '0' : value > 0 ? '∞' : '-∞';
  }
  if (size >= 999.5 && size < 1e6 - 0.5) {
    return size < 10 ** digits ? grouped(+value.toPrecision(digits)) : countText(value);
  }
  if (size >= 1e-3 && size < 999.5) {
    return String(+value.toPrecision(digits));
  }
  const [front, exponent] = value.toExponential(Math.max(0, digits - 2)).split('e');
  const plain = String(+front);
  return power(plain === '1' ? '' : plain === '-1' ? '-' : `${plain}×`, +exponent);
}

function grouped(value: number): string {
  const [whole, part] = String(value).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? `.${part}` : '');
}

/** The place of a value on the scale before it is stretched to pixels, and back. */
export function unit(value: number, log: boolean): number {
  return log ? (value > 0 ? Math.log10(value) : NaN) : value;
}

export function valueOf(place: number, log: boolean): number {
  return log ? 10 ** place : place;
}

/** `start` is the pixel of `low`, `end` that of `high`: the larger one of the two for a scale that goes up. */
export class Scale {
  readonly low: number;
  readonly high: number;

  constructor(span: Span, readonly log: boolean, readonly start: number, readonly end: number) {
    ({ low: this.low, high: this.high } = usable(span, log));
  }

  /** NaN where the scale has no such value. */
  at(value: number): number {
    const low = unit(this.low, this.log);
    return this.start + ((unit(value, this.log) - low) / (unit(this.high, this.log) - low)) * (this.end - this.start);
  }

  of(pixel: number): number {
    const low = unit(this.low, this.log);
    return valueOf(low + ((pixel - this.start) / (this.end - this.start)) * (unit(this.high, this.log) - low), this.log);
  }
}

/** Ends that can be used: apart, and above zero on a logarithmic scale. */
export function usable(span: Span, log: boolean): Span {
  let { low, high } = span;
  low = Number.isFinite(low) ? low : Number.isFinite(high) ? high : 0;
  high = Number.isFinite(high) ? high : low;
  [low, high] = low <= high ? [low, high] : [high, low];
  if (log) {
    high = high > 0 ? high : 1;
    low = low > 0 ? low : Math.min(high, 1) / 10;
    return low > high / (1 + 1e-9) ? { low: low / 2, high: high * 2 } : { low, high };
  }
  const room = high - low <= Math.max(Math.abs(low), Math.abs(high)) * 1e-12 ? (low === 0 ? 1 : Math.abs(low) / 2) : 0;
  return { low: low - room, high: high + room };
}

/** The least and the largest finite value (above zero, where `log`); NaN, NaN where there is none. */
export function spanOf(values: ArrayLike<number>, log = false, from = 0, to = values.length): Span {
  let low = NaN;
  let high = NaN;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (Number.isFinite(value) && (!log || value > 0)) {
      low = low <= value ? low : value;
      high = high >= value ? high : value;
    }
  }
  return { low, high };
}

export interface Ticks {
  readonly values: number[];
  readonly labels: string[];
  /** What all labels are to be multiplied by, as "×10⁻⁵"; '' for none. */
  readonly factor: string;
}

/** At most about `most` ticks. `whole`: none between whole numbers. */
export function ticksOf(scale: Scale, most: number, whole = false): Ticks {
  return scale.log && scale.high / scale.low > 3 ? logarithmic(scale, Math.max(1, most)) : linear(scale, Math.max(1, most), whole);
}

function stepFor(range: number, most: number): number {
  const ten = 10 ** Math.floor(Math.log10(range / most));
  return [1, 2, 2.5, 5, 10].map(round => round * ten).find(step => range / step <= most * (1 + 1e-9)) ?? 10 * ten;
}

/** All labels have the same number of decimals, and a common factor where they would be long. */
function linear(scale: Scale, most: number, whole: boolean): Ticks {
  const range = scale.high - scale.low;
  const step = whole ? Math.max(1, Math.ceil(stepFor(range, most) - 1e-9)) : stepFor(range, most);
  const values: number[] = [];
  for (let k = Math.ceil(scale.low / step - 1e-9); k * step <= scale.high + step * 1e-6 && values.length < 60; k++) {
    values.push(k * step);
  }
  const exponent = Math.floor(Math.log10(Math.max(Math.abs(scale.low), Math.abs(scale.high))) + 1e-9);
  const lift = exponent >= 6 || exponent <= -4 ? exponent : 0;
  const each = step / 10 ** lift;
  let decimals = 0;
  while (decimals < 9 && Math.abs(each * 10 ** decimals - Math.round(each * 10 ** decimals)) > 1e-6) {
    decimals++;
  }
  const label = (value: number) => grouped0((value / 10 ** lift + 0).toFixed(decimals));
  return { values, labels: values.map(label), factor: lift ? power('×', lift) : '' };
}

/** A number as toFixed writes it, its thousands apart and without the minus of a zero. */
function grouped0(text: string): string {
  const [whole, part] = (/^-0(\.0*)?$/.test(text) ? text.slice(1) : text).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? `.${part}` : '');
}

/** 0.01, 1, 1,000; 10⁻⁸ where some would be long. */
function logarithmic(scale: Scale, most: number): Ticks {
  const first = Math.floor(Math.log10(scale.low) + 1e-9);
  const last = Math.ceil(Math.log10(scale.high) - 1e-9);
  const plain = first >= -3 && last <= 6;
  const decades = Math.max(1e-9, Math.log10(scale.high / scale.low));
  const digits = 3 * decades <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(stepFor(decades, most) - 1e-9));
  const ticks: Ticks = { values: [], labels: [], factor: '' };
  for (let e = first; e <= last; e++) {
    for (const digit of digits) {
      const value = digit * 10 ** e;
      if (value >= scale.low * (1 - 1e-9) && value <= scale.high * (1 + 1e-9) && (digits.length > 1 || e % every === 0)) {
        ticks.values.push(value);
        ticks.labels.push(plain ? (value >= 1000 ? countText(value) : String(+value.toPrecision(3))) : power(digit > 1 ? `${digit}×` : '', e));
      }
    }
  }
  return ticks.values.length > 1 ? ticks : linear(scale, most, false);
}
