/** Bars: a value for each name, in one plot or several; sorted, searched, compared with the other model's and with each other. */
import { bottomAxis, labelFont, line, ticked } from '../axes.js';
import { clip } from '../canvas.js';
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Layers } from '../layers.js';
import { Reader } from '../reader.js';
import { numberText, Scale, spanOf, type Span } from '../scale.js';
import type { Frame, View } from '../view.js';
import { addChinese } from '../words.js';
import { keys, listen } from '../zoom.js';

addChinese({
  order: '排序',
  'as given': '原有顺序',
  'largest first': '从大到小',
  'smallest first': '从小到大',
  'largest change first': '按变化大小',
  'logarithmic': '对数刻度',
  'find a bar': '查找条目',
  '{found} of {all} bars': '{all} 条中的 {found} 条',
  'no bar has this in its name': '没有名称含此文字的条目',
  'difference {by}': '相差 {by}',
  '{times} times': '{times} 倍',
  'of the pinned {name} ({value})': ',对比已固定的 {name}({value})',
  'pinned: {name}': '已固定:{name}',
  'Arrow keys: from bar to bar; Enter or a click pins one, to compare the others with it; Escape lets go.': '方向键逐条移动;回车或单击固定一条,以便与其他条目比较;Esc 取消。'
});

const PITCH = 21;
const PITCH_MANY = 17;
const HEAD = 24;
const SCALE = 42;
const BETWEEN = 28;
const BELOW = 14;
/** The window through which more bars than it holds are seen. */
const TALLEST = 600;
const NEGATIVE = '#4373af';
const POSITIVE = '#a15f2c';
const PLAIN = '#0068a8';

interface State {
  order: string;
  search: string;
  log: boolean;
  at: number;
  pin: number;
  scrolled: number;
}

const states = new WeakMap<Figure, State>();

/** One plot as it lies on the page. `bars`: the numbers of its values, in the order in which they stand. */
interface Panel {
  readonly title: string;
  readonly bars: Int32Array;
  x: number;
  y: number;
}

class Bars implements View {
  private readonly values: Float32Array;
  private readonly other: Float32Array | null;
  private readonly names: string[];
  private readonly titles: string[];
  private readonly keys: string[];
  private readonly each: number;
  private readonly measure: string;
  private readonly signed: boolean;
  private readonly span: Span;
  private readonly state: State;
  private readonly layers: Layers;
  private readonly scroller = element('div', 'scroller');
  private readonly tall = element('div', 'tall');
  private panels: Panel[] = [];
  private width = 0;
  private wide = 0;
  private label = 0;
  private before = 0;
  private after = 0;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const values = reader.numbers('values');
    if (values.shape.length !== 2) {
      throw new Error(`bars have two axes, not ${values.shape.length}`);
    }
    this.values = values.values;
    this.each = values.shape[1];
    this.names = reader.texts('names');
    this.titles = reader.has('panels') ? reader.texts('panels') : [];
    this.other = reader.has('other') ? reader.numbers('other').values : null;
    this.keys = reader.has('keys') ? reader.texts('keys') : [];
    this.measure = reader.text('measure', '');
    this.signed = reader.flag('signed');
    if (this.names.length !== this.values.length || (this.other && this.other.length !== this.values.length)) {
      throw new Error(`${this.names.length} names for ${this.values.length} bars`);
    }
    this.span = this.spanOfAll(false);
    this.state = states.get(frame.figure) ?? { order: 'given', search: '', log: reader.flag('log') && this.canLog(), at: -1, pin: -1, scrolled: 0 };
    states.set(frame.figure, this.state);
    this.addTools();
    const hint = frame.words('Arrow keys: from bar to bar; Enter or a click pins one, to compare the others with it; Escape lets go.');
    this.layers = new Layers(frame, hint, { base: context => this.paint(context), top: context => this.paintOver(context) });
    this.layers.node.classList.add('cutaway-stuck');
    this.tall.append(this.layers.node);
    this.scroller.append(this.tall);
    frame.host.append(this.scroller, element('p', 'hint', hint));
    this.listen();
  }

  draw(width: number): void {
    this.width = width;
    this.arrange();
    this.scroller.scrollTop = this.state.scrolled;
    this.layers.draw(width, this.windowHeight());
  }

  dispose(): void {
    this.layers.dispose();
  }

  /* ---- what there is ---- */

  private spanOfAll(log: boolean): Span {
    const spans = [spanOf(this.values, log), ...(this.other ? [spanOf(this.other, log)] : [])];
    return spanOf(spans.flatMap(span => [span.low, span.high]), log);
  }

  private canLog(): boolean {
    const above = this.spanOfAll(true);
    return this.span.low >= 0 && above.high > 2 * above.low;
  }

  private addTools(): void {
    const { frame, state } = this;
    const say = frame.words;
    const orders = { given: 'as given', largest: 'largest first', smallest: 'smallest first', ...(this.other ? { change: 'largest change first' } : {}) };
    const again = () => {
      state.scrolled = this.scroller.scrollTop = 0;
      this.draw(this.width);
    };
    if (this.each > 1) {
      const choices = Object.entries(orders).map(([value, label]) => ({ value, label: say(label) }));
      frame.menu(say('order'), choices, state.order, value => {
        state.order = value;
        again();
      });
    }
    if (this.canLog()) {
      frame.toggle(say('logarithmic'), state.log, on => {
        state.log = on;
        again();
      });
    }
    if (this.values.length > 8) {
      frame.search(say('find a bar'), text => {
        state.search = text;
        again();
        this.sayFound();
      }).value = state.search;
    }
  }

  private sayFound(): void {
    const found = this.panels.reduce((sum, panel) => sum + panel.bars.length, 0);
    const say = this.frame.words;
    this.frame.say(!this.state.search ? '' : found ? say('{found} of {all} bars', { found, all: this.values.length }) : say('no bar has this in its name'));
  }

  /** The bars of a plot whose names have what is sought, in the order that was chosen. */
  private sorted(panel: number): Int32Array {
    const { order, search } = this.state;
    const sought = search.trim().toLowerCase();
    const first = panel * this.each;
    const bars = Int32Array.from({ length: this.each }, (_none, i) => first + i).filter(i => this.names[i].toLowerCase().includes(sought));
    const rank = (i: number) => (order === 'largest' ? -this.values[i] : order === 'smallest' ? this.values[i] : -Math.abs(this.values[i] - (this.other?.[i] ?? 0)));
    return order === 'given' ? bars : bars.sort((a, b) => last(rank(a)) - last(rank(b)) || a - b);
  }

  /* ---- layout ---- */

  private pitch(): number {
    return (this.each > 24 ? PITCH_MANY : PITCH) + (this.other ? 8 : 0);
  }

  private top(): number {
    return this.other ? 24 : 2;
  }

  private panelHeight(panel: Panel): number {
    return panel.bars.length * this.pitch() + (panel.title ? HEAD : 0) + (this.state.log ? SCALE : 0) + BELOW;
  }

  private windowHeight(): number {
    return Math.min(TALLEST, this.tall.offsetHeight || TALLEST);
  }

  private measureTexts(context: CanvasRenderingContext2D): void {
    context.font = labelFont(this.frame.look);
    const widest = (texts: Iterable<string>) => [...texts].reduce((most, text) => Math.max(most, context.measureText(text).width), 0);
    const all = [...this.values, ...(this.other ?? [])];
    this.label = Math.min(widest(this.names), 200, this.wide * 0.4);
    this.before = this.span.low < 0 ? widest(all.filter(value => value < 0).map(value => numberText(value))) + 8 : 0;
    this.after = widest(all.filter(value => !(value < 0)).map(value => numberText(value))) + 8;
  }

  /** Lays the plots side by side and below each other, and makes the page behind the window as tall as all of them. */
  private arrange(): void {
    const count = this.each ? this.values.length / this.each : 0;
    const columns = count === 1 ? 1 : Math.max(1, Math.min(count <= 4 ? 2 : 3, Math.floor(this.width / 300)));
    this.wide = Math.min(columns === 1 ? 720 : 480, (this.width - BETWEEN * (columns - 1)) / columns);
    const context = this.layers.base.getContext('2d');
    if (context) {
      this.measureTexts(context);
    }
    this.panels = Array.from({ length: count }, (_none, i) => ({ title: this.titles[i] ?? '', bars: this.sorted(i), x: 0, y: 0 })).filter(
      panel => panel.bars.length > 0 || !this.state.search
    );
    let y = this.top();
    for (let i = 0; i < this.panels.length; i += columns) {
      const row = this.panels.slice(i, i + columns);
      row.forEach((panel, k) => Object.assign(panel, { x: k * (this.wide + BETWEEN), y }));
      y += Math.max(...row.map(panel => this.panelHeight(panel)));
    }
    this.tall.style.height = `${Math.max(60, y)}px`;
    this.scroller.style.maxHeight = `${TALLEST}px`;
  }

  private scale(panel: Panel): Scale {
    const start = panel.x + this.label + 8 + this.before;
    const end = panel.x + this.wide - this.after;
    const above = this.spanOfAll(true);
    const span = this.state.log ? { low: 10 ** Math.floor(Math.log10(above.low / 2)), high: above.high } : { low: Math.min(0, this.span.low), high: Math.max(0, this.span.high) };
    return new Scale(span, this.state.log, start, Math.max(start + 20, end));
  }

  private rowTop(panel: Panel, row: number): number {
    return panel.y + (panel.title ? HEAD : 0) + row * this.pitch();
  }

  /* ---- drawing ---- */

  private paint(context: CanvasRenderingContext2D): void {
    const from = this.scroller.scrollTop;
    context.translate(0, -from);
    if (this.other) {
      this.paintKeys(context);
    }
    this.panels.filter(panel => panel.y < from + TALLEST && panel.y + this.panelHeight(panel) > from).forEach(panel => this.paintPanel(context, panel, from));
  }

  private paintKeys(context: CanvasRenderingContext2D): void {
    context.font = labelFont(this.frame.look);
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    let x = 0;
    this.keys.slice(0, 2).forEach((key, which) => {
      context.fillStyle = this.colour(1, which > 0);
      context.fillRect(x, which ? 8 : 5, 16, which ? 6 : 11);
      context.fillStyle = this.frame.look.ink;
      const text = clip(context, key, this.width / 2 - 40);
      context.fillText(text, x + 22, 11);
      x += context.measureText(text).width + 40;
    });
  }

  private colour(value: number, pale: boolean): string {
    const { look } = this.frame;
    return look.shade((this.signed ? (value < 0 ? NEGATIVE : POSITIVE) : PLAIN)) + (pale ? '80' : '');
  }

  private paintPanel(context: CanvasRenderingContext2D, panel: Panel, from: number): void {
    const { look } = this.frame;
    const scale = this.scale(panel);
    const foot = this.rowTop(panel, panel.bars.length);
    const head = this.rowTop(panel, 0);
    if (panel.title) {
      context.font = `bold ${labelFont(look, 12)}`;
      context.textAlign = 'left';
      context.textBaseline = 'middle';
      context.fillStyle = look.ink;
      context.fillText(clip(context, panel.title, this.wide), panel.x, panel.y + HEAD / 2 - 1);
    }
    if (this.state.log) {
      bottomAxis(context, look, scale, ticked(scale, 56), { left: scale.start, top: head, right: scale.end, bottom: foot }, this.measure);
    }
    const first = Math.max(0, Math.floor((from - head) / this.pitch()));
    const end = Math.min(panel.bars.length, Math.ceil((from + TALLEST - head) / this.pitch()));
    for (let row = first; row < end; row++) {
      this.paintRow(context, panel, row, scale);
    }
    const zero = Math.round(this.zero(scale)) - 0.5;
    line(context, zero, head, zero, foot, look.quiet);
  }

  private zero(scale: Scale): number {
    return this.state.log ? scale.start : scale.at(0);
  }

  private paintRow(context: CanvasRenderingContext2D, panel: Panel, row: number, scale: Scale): void {
    const { look } = this.frame;
    const i = panel.bars[row];
    const thick = this.each > 24 ? 11 : 13;
    const y = this.rowTop(panel, row) + (PITCH_MANY - 11) / 2;
    context.font = labelFont(look);
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    context.fillStyle = look.ink;
    context.fillText(clip(context, this.names[i], this.label), panel.x + this.label, y + thick / 2);
    this.paintBar(context, scale, y, thick, this.values[i], false);
    if (this.other) {
      this.paintBar(context, scale, y + thick + 1, 7, this.other[i], true);
    }
  }

  private paintBar(context: CanvasRenderingContext2D, scale: Scale, y: number, thick: number, value: number, pale: boolean): void {
    const { look } = this.frame;
    const zero = this.zero(scale);
    const exact = scale.at(value);
    const at = Number.isFinite(exact) ? Math.max(scale.start, exact) : zero;
    context.fillStyle = this.colour(value, pale);
    if (value !== 0 && Number.isFinite(value)) {
      context.fillRect(Math.min(zero, at), y, Math.max(1, Math.abs(at - zero)), thick);
    }
    context.font = labelFont(look, pale ? 9.5 : 11);
    context.textAlign = value < 0 ? 'right' : 'left';
    context.fillStyle = Number.isFinite(value) ? (pale ? look.quiet : look.ink) : look.accent;
    context.fillText(numberText(value), at + (value < 0 ? -5 : 5), y + thick / 2 + 0.5);
  }

  private paintOver(context: CanvasRenderingContext2D): void {
    context.translate(0, -this.scroller.scrollTop);
    const { look } = this.frame;
    for (const [i, dash] of [[this.state.pin, [4, 3]], [this.state.at, []]] as const) {
      const place = this.placeOf(i);
      if (place) {
        context.strokeStyle = look.accent;
        context.lineWidth = 1.5;
        context.setLineDash([...dash]);
        context.strokeRect(place.panel.x + 0.75, this.rowTop(place.panel, place.row) + 0.5, this.wide - 2, this.pitch() - 1.5);
      }
    }
  }

  /* ---- mouse and keyboard ---- */

  private placeOf(i: number): { panel: Panel; row: number } | null {
    const panel = i < 0 ? undefined : this.panels.find(of => of.bars.includes(i));
    return panel ? { panel, row: panel.bars.indexOf(i) } : null;
  }

  private hit(x: number, y: number): number {
    const down = y + this.scroller.scrollTop;
    for (const panel of this.panels) {
      const row = Math.floor((down - this.rowTop(panel, 0)) / this.pitch());
      if (x >= panel.x && x <= panel.x + this.wide && row >= 0 && row < panel.bars.length) {
        return panel.bars[row];
      }
    }
    return -1;
  }

  private listen(): void {
    const { top } = this.layers;
    listen(top, {
      hover: (x, y) => this.go(this.hit(x, y)),
      leave: () => this.go(-1),
      click: (x, y) => this.pin(this.hit(x, y)),
      drag: () => null
    });
    keys(top, key => this.press(key));
    this.scroller.addEventListener('scroll', () => {
      this.state.scrolled = this.scroller.scrollTop;
      this.layers.queue(true);
    });
  }

  private press(key: string): boolean {
    const order = this.panels.flatMap(panel => [...panel.bars]);
    const now = order.indexOf(this.state.at);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -order.length, End: order.length, ArrowRight: this.each, ArrowLeft: -this.each }[key];
    if (step !== undefined && order.length) {
      this.go(order[now < 0 ? (step < 0 && key !== 'Home' ? order.length - 1 : 0) : Math.min(order.length - 1, Math.max(0, now + step))]);
      this.show();
      return true;
    }
    if (key === 'Enter' || key === ' ') {
      this.pin(this.state.at);
      return true;
    }
    if (key === 'Escape' && (this.state.pin >= 0 || this.state.at >= 0)) {
      this.state.pin = -1;
      this.go(-1);
      this.layers.queue(false);
      return true;
    }
    return false;
  }

  private show(): void {
    const place = this.placeOf(this.state.at);
    if (place) {
      const top = this.rowTop(place.panel, place.row);
      const { scrollTop } = this.scroller;
      this.scroller.scrollTop = Math.min(top - HEAD, Math.max(scrollTop, top + this.pitch() + 4 - this.windowHeight()));
    }
  }

  private go(at: number): void {
    if (at !== this.state.at) {
      this.state.at = at;
      this.layers.queue(false);
    }
    this.frame.say(at < 0 ? '' : this.tell(at));
  }

  private pin(at: number): void {
    this.state.pin = at === this.state.pin ? -1 : at;
    this.layers.queue(false);
    if (this.state.pin >= 0) {
      this.frame.say(this.frame.words('pinned: {name}', { name: this.tell(at) }));
    }
  }

  /** "layer 3 · Paris: probability 0.62 (f32), 0.58 (q4)" and what it is beside the pinned one. */
  private tell(i: number): string {
    const title = this.titles[Math.floor(i / this.each)];
    const key = (which: number) => (this.other && this.keys[which] ? ` (${this.keys[which]})` : '');
    const value = `${this.measure} ${numberText(this.values[i], 6)}${key(0)}`;
    const other = this.other ? `, ${numberText(this.other[i], 6)}${key(1)}, ${this.difference(this.values[i], this.other[i])}` : '';
    return `${title ? `${title} · ` : ''}${this.names[i]}: ${value.trim()}${other}${this.besidePin(i)}`;
  }

  private difference(value: number, other: number): string {
    return this.frame.words('difference {by}', { by: numberText(value - other, 4) });
  }

  private besidePin(i: number): string {
    const { pin } = this.state;
    if (pin < 0 || pin === i) {
      return '';
    }
    const say = this.frame.words;
    const pinned = this.values[pin];
    const times = pinned !== 0 && Number.isFinite(this.values[i] / pinned) ? say('{times} times', { times: numberText(this.values[i] / pinned, 3) }) : this.difference(this.values[i], pinned);
    const join = say.language === 'zh' ? '' : ' ';
    return `; ${times}${join}${say('of the pinned {name} ({value})', { name: this.names[pin], value: numberText(pinned, 4) })}`;
  }
}

/** What is no number stands behind all numbers. */
function last(rank: number): number {
  return Number.isNaN(rank) ? Infinity : rank;
}

export function bars(frame: Frame): View {
  return new Bars(frame);
}
