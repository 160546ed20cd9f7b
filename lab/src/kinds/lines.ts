/** Curves: a crosshair that tells every line's value, zoom along both axes, logarithmic switches, lines on and off. */
import { BELOW, bottomAxis, labelFont, leftAxis, leftRoom, line, ticked, type Box } from '../axes.js';
import { clip } from '../canvas.js';
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Layers } from '../layers.js';
import { legend, type Entry } from '../legend.js';
import { CATEGORIES, category, colourOf, trace, valueRamp } from '../marks.js';
import { Reader } from '../reader.js';
import { numberText, Scale, spanOf, usable, type Span, type Ticks } from '../scale.js';
import type { Frame, View } from '../view.js';
import { addChinese } from '../words.js';
import { centred, keys, listen, panned, zoomed, type Drag } from '../zoom.js';

addChinese({
  'logarithmic values': '数值取对数',
  'logarithmic axis': '横轴取对数',
  'zoom in': '放大',
  'zoom out': '缩小',
  'reset view': '重置视图',
  'Drag: zoom to the frame; Shift: move. Click first, then the wheel zooms. Keys: left and right along the points, up and down between lines, + and − zoom, Shift with arrows moves, 0 shows all.':
    '拖动:放大到所选范围;按住 Shift 拖动:平移;单击后可用滚轮缩放。键盘:左右键沿各点移动,上下键切换曲线,+ − 缩放,Shift 加方向键平移,0 显示全图。',
  '{first} to {last} of {all}': '{first} 至 {last}(共 {all})',
  'and {more} more lines': '另有 {more} 条',
  'no value': '无值',
  'every {step}th point was sent': '每 {step} 个点传来一个',
  'shown: {low} to {high}': '显示范围:{low} 至 {high}'
});

/** Lines that are told at once, next to the mouse. */
const TOLD = 8;
const NAMED = 14;
const NAME_LINE = 14;
const DOTS = 40;
const LABEL_WIDTH = 90;
/** Points of all lines that are drawn one by one. */
const MOST = 12000;
interface State {
  x: Span | null;
  y: Span | null;
  log: boolean;
  xLog: boolean;
  readonly hidden: Set<number>;
  point: number;
  line: number;
}

const states = new WeakMap<Figure, State>();

class Lines implements View {
  private readonly count: number;
  private readonly points: number;
  private readonly values: Float32Array;
  private readonly x: Float32Array;
  private readonly names: string[];
  private readonly labels: string[] | null;
  private readonly measure: string;
  private readonly along: string;
  private readonly whole: boolean;
  private readonly ascending: boolean;
  private readonly ramp: Uint32Array;
  private readonly state: State;
  private readonly layers: Layers;
  private box: Box = { left: 0, top: 0, right: 0, bottom: 0 };
  private across = new Scale({ low: 0, high: 1 }, false, 0, 1);
  private down = new Scale({ low: 0, high: 1 }, false, 1, 0);
  private frameDrawn: { x0: number; y0: number; x1: number; y1: number } | null = null;
  private colours: string[] = [];
  private labelled: Ticks = { values: [], labels: [], factor: '' };
  private leans = false;
  private below = BELOW;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const { shape, values } = reader.numbers('values');
    if (shape.length !== 2) {
      throw new Error(`curves have two axes, not ${shape.length}`);
    }
    [this.count, this.points] = shape;
    this.values = values;
    this.x = reader.numbers('x').values;
    this.names = reader.texts('names');
    this.labels = reader.has('labels') ? reader.texts('labels') : null;
    this.measure = reader.text('measure', '');
    this.along = reader.text('along', '');
    if (this.names.length !== this.count || this.x.length !== this.points || (this.labels && this.labels.length !== this.points)) {
      throw new Error(`${this.names.length} names and ${this.x.length} places for ${this.count} curves of ${this.points} points`);
    }
    this.ramp = valueRamp(reader, frame.look, 0.25);
    this.whole = this.x.every(Number.isInteger);
    this.ascending = this.x.every((value, i) => i === 0 || value >= this.x[i - 1]);
    this.state = states.get(frame.figure) ?? this.firstState(reader);
    states.set(frame.figure, this.state);
    this.colours = this.names.map((_name, i) => this.colour(i));
    this.addTools();
    const hint = frame.words(
      'Drag: zoom to the frame; Shift: move. Click first, then the wheel zooms. Keys: left and right along the points, up and down between lines, + and − zoom, Shift with arrows moves, 0 shows all.'
    );
    this.layers = new Layers(frame, hint, { base: context => this.paint(context), top: context => this.paintOver(context) });
    if (this.count > 1) {
      frame.host.append(legend(frame, this.entries(), this.state.hidden, () => this.again()));
    }
    const step = Math.round(reader.number('points', this.points) / Math.max(1, this.points));
    const cut = step > 1 ? `${frame.words('every {step}th point was sent', { step })} · ` : '';
    frame.host.append(this.layers.node, element('p', 'hint', cut + hint));
    this.listen();
  }

  draw(width: number): void {
    const room = Math.min(width, 920);
    this.layers.draw(room, Math.round(Math.min(440, Math.max(280, room * 0.45))));
  }

  dispose(): void {
    this.layers.dispose();
  }

  private firstState(reader: Reader): State {
    return { x: null, y: null, log: reader.flag('log') && this.canLog(), xLog: reader.flag('xLog') && this.canLogX(), hidden: new Set(), point: -1, line: -1 };
  }

  private canLog(): boolean {
    return spanOf(this.values, true).high > 0;
  }

  private canLogX(): boolean {
    const span = spanOf(this.x, true);
    return !this.labels && span.high > span.low;
  }

  private addTools(): void {
    const { frame, state } = this;
    const say = frame.words;
    if (this.canLog()) {
      frame.toggle(say('logarithmic values'), state.log, on => {
        Object.assign(state, { log: on, y: null });
        this.again();
      });
    }
    if (this.canLogX()) {
      frame.toggle(say('logarithmic axis'), state.xLog, on => {
        Object.assign(state, { xLog: on, x: null });
        this.again();
      });
    }
    frame.button(say('zoom in'), () => this.zoomAt(0.5));
    frame.button(say('zoom out'), () => this.zoomAt(2));
    frame.button(say('reset view'), () => this.reset());
  }

  private entries(): Entry[] {
    return this.names.map((name, i) => ({
      label: name || String(i),
      swatch: context => {
        context.strokeStyle = context.fillStyle = this.colours[i];
        context.lineWidth = 2;
        context.beginPath();
        context.moveTo(1, 7);
        context.lineTo(23, 7);
        context.stroke();
        if (this.marked()) {
          context.beginPath();
          trace(context, i, 12, 7, 4);
          context.fill();
        }
      }
    }));
  }

  /* ---- what there is ---- */

  private colour(i: number): string {
    const { look } = this.frame;
    return this.count < CATEGORIES ? category(look, i) : colourOf(this.ramp[Math.round((255 * i) / (this.count - 1))]);
  }

  /** Points have marks where there is room, each line's of its own shape. */
  private marked(): boolean {
    return this.points <= DOTS && this.count < CATEGORIES;
  }

  private value(i: number, point: number): number {
    const value = this.values[i * this.points + point];
    return Number.isFinite(value) && !(this.state.log && value <= 0) ? value : NaN;
  }

  private shown(): number[] {
    return this.names.map((_name, i) => i).filter(i => !this.state.hidden.has(i));
  }

  private wholeX(): Span {
    const span = spanOf(this.x, this.state.xLog);
    return this.points === 1 ? { low: span.low - 1, high: span.high + 1 } : usable(span, this.state.xLog);
  }

  /** Of the lines that are shown, between the two ends. */
  private wholeY(x: Span | null): Span {
    const { log } = this.state;
    let low = NaN;
    let high = NaN;
    for (const i of this.shown()) {
      for (let point = 0; point < this.points; point++) {
        const value = this.value(i, point);
        if (value === value && (!x || (this.x[point] >= x.low && this.x[point] <= x.high))) {
          low = low <= value ? low : value;
          high = high >= value ? high : value;
        }
      }
    }
    const span = usable({ low, high }, log);
    if (log) {
      const room = (span.high / span.low) ** 0.04;
      return { low: span.low / room, high: span.high * room };
    }
    const foot = span.low > 0 && span.low < 0.4 * span.high ? 0 : span.low;
    const room = (span.high - foot) * 0.04;
    return { low: foot === 0 ? 0 : foot - room, high: span.high + room };
  }

  private nowX(): Span {
    return this.state.x ?? this.wholeX();
  }

  private nowY(): Span {
    return this.state.y ?? this.wholeY(this.state.x);
  }

  private label(point: number): string {
    return this.labels ? this.labels[point] : numberText(this.x[point], 6);
  }

  /* ---- drawing ---- */

  private paint(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    const { width, height } = this.layers;
    const y = this.nowY();
    const right = width - this.nameRoom(context);
    this.placeLabels(context, right - 70);
    const bottom = height - this.below;
    this.down = new Scale(y, this.state.log, bottom, 8);
    const ticks = ticked(this.down, 38);
    const left = leftRoom(context, look, ticks, this.measure);
    this.box = { left, top: 8, right, bottom };
    this.across = new Scale(this.nowX(), this.state.xLog, left + 6, right - 6);
    leftAxis(context, look, this.down, ticks, this.box, this.measure);
    if (this.labels && this.leans) {
      this.paintLabels(context);
    } else {
      const across = this.labels ? this.labelled : ticked(this.across, 64, this.whole && !this.state.xLog);
      bottomAxis(context, look, this.across, across, this.box, this.along, false);
    }
    const zero = this.down.at(0);
    const ground = zero > this.box.top && zero < bottom ? Math.round(zero) - 0.5 : bottom - 0.5;
    line(context, left, ground, right, ground, look.quiet);
    const stretch = this.stretch();
    this.inPlot(context, () => this.shown().forEach(i => this.paintLine(context, i, stretch)));
    this.paintNames(context);
  }

  private nameRoom(context: CanvasRenderingContext2D): number {
    context.font = labelFont(this.frame.look);
    const widest = this.shown().reduce((most, i) => Math.max(most, context.measureText(this.names[i]).width), 0);
    return Math.min(this.layers.width * 0.22, widest ? widest + 16 : 14);
  }

  /** The points' labels in sight, as many as there is room for: at an angle, where lying they would not all have it. */
  private placeLabels(context: CanvasRenderingContext2D, room: number): void {
    if (!this.labels) {
      return;
    }
    const span = this.nowX();
    const seen = [...this.labels.keys()].filter(i => this.x[i] >= span.low && this.x[i] <= span.high);
    const pitch = room / Math.max(1, seen.length - 1);
    context.font = labelFont(this.frame.look);
    const short = (i: number) => clip(context, this.labels![i], LABEL_WIDTH);
    const widest = seen.slice(0, 300).reduce((most, i) => Math.max(most, context.measureText(short(i)).width), 0);
    this.leans = widest + 8 > Math.max(pitch, 30);
    this.below = this.leans ? widest * Math.SQRT1_2 + 36 : BELOW;
    const every = Math.max(1, Math.ceil((this.leans ? 14 : widest + 8) / pitch));
    const kept = seen.filter(i => i % every === 0);
    this.labelled = { values: kept.map(i => this.x[i]), labels: kept.map(short), factor: '' };
  }

  private paintLabels(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    const { left, right, bottom } = this.box;
    context.font = labelFont(look);
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    this.labelled.values.forEach((value, k) => {
      const x = Math.round(this.across.at(value)) - 0.5;
      line(context, x, bottom, x, bottom + 4, look.quiet);
      context.save();
      context.translate(x + 2, bottom + 9);
      context.rotate(-Math.PI / 4);
      context.fillStyle = look.ink;
      context.fillText(this.labelled.labels[k], 0, 0);
      context.restore();
    });
    context.textAlign = 'center';
    context.textBaseline = 'bottom';
    context.fillStyle = look.quiet;
    context.fillText(this.along, (left + right) / 2, this.layers.height - 2);
  }

  /** How many neighbouring points are drawn as their least and largest: those of one pixel, and more where the lines are many. */
  private stretch(): number {
    const [from, to] = this.reach();
    const dense = (to - from) / Math.max(1, this.box.right - this.box.left);
    return Math.max(dense > 3 ? Math.ceil(dense) : 1, Math.ceil(((to - from) * this.shown().length) / MOST));
  }

  /** A gap where there is no value. */
  private paintLine(context: CanvasRenderingContext2D, i: number, stretch: number, more = 0): void {
    const ratio = context.getTransform().a;
    const few = this.count < CATEGORIES;
    context.strokeStyle = context.fillStyle = this.colours[i];
    context.lineWidth = (few ? 1.8 : 1 / ratio) + more; // many lines are as thin as a pixel, which browsers draw ten times as fast
    context.lineJoin = 'round';
    context.beginPath();
    const [from, to] = this.reach();
    stretch > 1 ? this.pathOfMany(context, i, from, to, stretch) : this.pathOf(context, i, from, to);
    context.stroke();
    context.beginPath();
    for (let point = from; point < to && stretch === 1; point++) {
      const alone = Number.isNaN(point ? this.value(i, point - 1) : NaN) && Number.isNaN(point + 1 < this.points ? this.value(i, point + 1) : NaN);
      if ((this.marked() || alone) && !Number.isNaN(this.value(i, point))) {
        trace(context, this.marked() ? i : 0, this.across.at(this.x[point]), this.down.at(this.value(i, point)), 3.2);
      }
    }
    context.fill();
  }

  /** The points that are in sight, and one more on either side. */
  private reach(): [number, number] {
    if (!this.ascending || !this.state.x) {
      return [0, this.points];
    }
    const first = this.x.findIndex(value => value >= this.across.low);
    const end = this.x.findIndex(value => value > this.across.high);
    return [Math.max(0, (first < 0 ? this.points : first) - 1), end < 0 ? this.points : Math.min(this.points, end + 1)];
  }

  private pathOf(context: CanvasRenderingContext2D, i: number, from: number, to: number): void {
    let drawn = false;
    for (let point = from; point < to; point++) {
      const x = this.across.at(this.x[point]);
      const y = this.down.at(this.value(i, point));
      if (Number.isNaN(x) || Number.isNaN(y)) {
        drawn = false;
      } else {
        drawn ? context.lineTo(x, y) : context.moveTo(x, y);
        drawn = true;
      }
    }
  }

  private pathOfMany(context: CanvasRenderingContext2D, i: number, from: number, to: number, group: number): void {
    let drawn = false;
    for (let first = from; first < to; first += group) {
      let low = NaN;
      let high = NaN;
      for (let point = first; point < Math.min(to, first + group); point++) {
        const value = this.value(i, point);
        low = value < low || Number.isNaN(low) ? value : low;
        high = value > high || Number.isNaN(high) ? value : high;
      }
      const x = this.across.at(this.x[first]);
      if (Number.isNaN(low) || Number.isNaN(x)) {
        drawn = false;
      } else {
        drawn ? context.lineTo(x, this.down.at(low)) : context.moveTo(x, this.down.at(low));
        context.lineTo(x, this.down.at(high));
        drawn = true;
      }
    }
  }

  /** Each line's name at its end, moved apart where they would lie over each other. */
  private paintNames(context: CanvasRenderingContext2D): void {
    const shown = this.shown().filter(i => this.names[i]);
    const named = shown.length <= NAMED ? shown : shown.filter((_line, k) => Math.floor((k * (NAMED - 1)) / (shown.length - 1)) !== Math.floor(((k - 1) * (NAMED - 1)) / (shown.length - 1)));
    const ends = named.map(i => ({ i, y: this.endOf(i) })).filter(end => !Number.isNaN(end.y)).sort((a, b) => a.y - b.y);
    ends.forEach((end, k) => (end.y = Math.max(end.y, k ? ends[k - 1].y + NAME_LINE : this.box.top)));
    for (let k = ends.length; k-- > 0; ) {
      ends[k].y = Math.min(ends[k].y, k + 1 < ends.length ? ends[k + 1].y - NAME_LINE : this.box.bottom);
    }
    const { look } = this.frame;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    for (const { i, y } of ends) {
      context.font = labelFont(look);
      context.fillStyle = this.colours[i];
      context.fillRect(this.box.right + 1, y - 1, 6, 2.5);
      context.fillStyle = look.ink;
      context.fillText(clip(context, this.names[i], this.layers.width - this.box.right - 11), this.box.right + 10, y);
    }
  }

  /** The height of the last point in sight; NaN where that lies above or below. */
  private endOf(i: number): number {
    for (let point = this.points; point-- > 0; ) {
      const y = this.down.at(this.value(i, point));
      if (!Number.isNaN(y) && this.x[point] <= this.across.high) {
        return y >= this.box.top - 4 && y <= this.box.bottom + 4 ? y : NaN;
      }
    }
    return NaN;
  }

  private paintOver(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    const { point } = this.state;
    const x = point < 0 ? NaN : this.across.at(this.x[point]);
    if (this.frameDrawn) {
      const { x0, y0, x1, y1 } = this.frameDrawn;
      context.strokeStyle = look.accent;
      context.setLineDash([4, 3]);
      context.strokeRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
      return;
    }
    if (!(x >= this.box.left && x <= this.box.right)) {
      return;
    }
    this.paintChosen(context);
    line(context, Math.round(x) - 0.5, this.box.top, Math.round(x) - 0.5, this.box.bottom, look.accent);
    const told = this.told();
    for (const i of told) {
      const y = this.down.at(this.value(i, point));
      if (y >= this.box.top - 4 && y <= this.box.bottom + 4) {
        context.beginPath();
        trace(context, this.marked() ? i : 0, x, y, i === this.state.line ? 6 : 4.5);
        context.fillStyle = this.colours[i];
        context.strokeStyle = look.paper;
        context.lineWidth = 1.5;
        context.fill();
        context.stroke();
      }
    }
    this.paintCard(context, x, told);
  }

  private inPlot(context: CanvasRenderingContext2D, act: () => void): void {
    const { left, right, top, bottom } = this.box;
    context.save();
    context.beginPath();
    context.rect(left, top - 4, right - left, bottom - top + 8);
    context.clip();
    act();
    context.restore();
  }

  private paintChosen(context: CanvasRenderingContext2D): void {
    if (this.state.line >= 0) {
      this.inPlot(context, () => this.paintLine(context, this.state.line, this.stretch(), 1.4));
    }
  }

  /** What the crosshair meets, beside it. */
  private paintCard(context: CanvasRenderingContext2D, x: number, told: readonly number[]): void {
    const { look } = this.frame;
    const rows = told.map(i => ({ i, text: `${this.names[i] ? `${clip(context, this.names[i], 150)}  ` : ''}${this.valueText(i)}` }));
    context.font = labelFont(look);
    const head = clip(context, this.pointText(), 200);
    const width = Math.max(context.measureText(head).width, ...rows.map(row => context.measureText(row.text).width + 14)) + 14;
    const height = 18 + rows.length * 15 + 4;
    const left = x + 12 + width < this.box.right ? x + 12 : x - 12 - width;
    context.globalAlpha = 0.94;
    context.fillStyle = look.paper;
    context.fillRect(left, this.box.top + 2, width, height);
    context.globalAlpha = 1;
    context.strokeStyle = look.line;
    context.lineWidth = 1;
    context.strokeRect(Math.round(left) + 0.5, this.box.top + 2.5, Math.round(width), height);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    context.fillStyle = look.quiet;
    context.fillText(head, left + 7, this.box.top + 13);
    rows.forEach(({ i, text }, k) => {
      const y = this.box.top + 29 + 15 * k;
      context.fillStyle = this.colours[i];
      context.beginPath();
      trace(context, this.marked() ? i : 0, left + 11, y, 3.6);
      context.fill();
      context.font = `${i === this.state.line ? 'bold ' : ''}${labelFont(look)}`;
      context.fillStyle = look.ink;
      context.fillText(text, left + 20, y);
    });
  }

  /* ---- mouse and keyboard ---- */

  /** The lines that are told at the point: the chosen one and those near it, from the highest to the lowest. */
  private told(): number[] {
    const { point, line: chosen } = this.state;
    const shown = this.shown();
    const at = (i: number) => this.value(i, point);
    const about = chosen >= 0 ? at(chosen) : NaN;
    const near = shown.length <= TOLD ? shown : [...shown].sort((a, b) => far(Math.abs(at(a) - about)) - far(Math.abs(at(b) - about)) || a - b).slice(0, TOLD);
    return near.sort((a, b) => far(-at(a)) - far(-at(b)) || a - b);
  }

  private pointText(): string {
    const name = this.labels ? `${this.label(this.state.point)} (${numberText(this.x[this.state.point], 6)})` : this.label(this.state.point);
    return `${this.along ? `${this.along} ` : ''}${name}`;
  }

  private valueText(i: number): string {
    const value = this.values[i * this.points + this.state.point];
    return Number.isNaN(value) ? this.frame.words('no value') : numberText(value, 6);
  }

  private sayPoint(): void {
    const told = this.told();
    const more = this.shown().length - told.length;
    const parts = told.map(i => `${this.names[i] ? `${this.names[i]} ` : this.measure ? `${this.measure} ` : ''}${this.valueText(i)}`);
    this.frame.say(`${this.pointText()}: ${parts.join(', ')}${more > 0 ? ` ${this.frame.words('and {more} more lines', { more })}` : ''}`);
  }

  private go(point: number, i = this.state.line): void {
    this.state.point = point;
    this.state.line = i;
    this.layers.queue(false);
    point < 0 ? this.frame.say('') : this.sayPoint();
  }

  private nearestPoint(x: number): number {
    let best = -1;
    let least = Infinity;
    for (let point = 0; point < this.points; point++) {
      const away = Math.abs(this.across.at(this.x[point]) - x);
      if (away < least && this.x[point] >= this.across.low && this.x[point] <= this.across.high) {
        least = away;
        best = point;
      }
    }
    return best;
  }

  /** The line that passes nearest to the height, at the point. */
  private nearestLine(point: number, y: number): number {
    let best = -1;
    let least = Infinity;
    for (const i of point < 0 ? [] : this.shown()) {
      const away = Math.abs(this.down.at(this.value(i, point)) - y);
      if (away < least) {
        least = away;
        best = i;
      }
    }
    return best;
  }

  private inside(x: number, y: number): boolean {
    const { left, right, top, bottom } = this.box;
    return x >= left - 8 && x <= right + 8 && y >= top - 8 && y <= bottom + 24;
  }

  private listen(): void {
    listen(this.layers.top, {
      hover: (x, y) => {
        const point = this.inside(x, y) ? this.nearestPoint(x) : -1;
        this.go(point, this.shown().length > TOLD ? this.nearestLine(point, y) : this.state.line);
      },
      leave: () => this.go(-1, -1),
      click: (x, y) => {
        const point = this.nearestPoint(x);
        this.go(point, this.nearestLine(point, y));
      },
      drag: (x, y, event) => (event.shiftKey ? this.panDrag(x, y) : this.frameDrag(x, y)),
      zoom: (by, x, y) => this.zoomTo(by, this.across.of(x), y > this.box.bottom ? null : this.down.of(y)),
      reset: () => this.reset()
    });
    keys(this.layers.top, (key, event) => this.press(key, event));
  }

  private panDrag(x: number, y: number): Drag {
    const [spanX, spanY] = [this.nowX(), this.nowY()];
    const pan = (x1: number, y1: number) => {
      this.state.x = panned(spanX, (x - x1) / (this.box.right - this.box.left), this.wholeX(), this.state.xLog);
      if (this.state.y) {
        this.state.y = panned(spanY, (y1 - y) / (this.box.bottom - this.box.top), this.wholeY(null), this.state.log);
      }
      this.again();
    };
    return { move: pan, end: pan, cancel: () => pan(x, y) };
  }

  /** A frame that is flat zooms along the points alone, one that is narrow along the values alone. */
  private frameDrag(x: number, y: number): Drag {
    const frame = (x1: number, y1: number) => {
      const [wide, tall] = [Math.abs(x1 - x) > 8, Math.abs(y1 - y) > 24];
      const { left, right, top, bottom } = this.box;
      const [a, b] = wide ? [x, x1] : [left, right];
      const [c, d] = tall ? [y, y1] : [top, bottom];
      const bound = (at: number, low: number, high: number) => Math.min(high, Math.max(low, at));
      return { wide, tall, x0: bound(a, left, right), x1: bound(b, left, right), y0: bound(c, top, bottom), y1: bound(d, top, bottom) };
    };
    const finish = () => {
      this.frameDrawn = null;
      this.layers.queue(false);
    };
    return {
      move: (x1, y1) => {
        this.frameDrawn = frame(x1, y1);
        this.layers.queue(false);
      },
      end: (x1, y1) => {
        const { wide, tall, ...of } = frame(x1, y1);
        finish();
        if (wide) {
          this.state.x = ends(this.across, of.x0, of.x1);
        }
        if (tall) {
          this.state.y = ends(this.down, of.y0, of.y1);
        }
        this.sayZoom();
      },
      cancel: finish
    };
  }

  private zoomTo(by: number, x: number, y: number | null): void {
    const { state } = this;
    state.x = zoomed(this.nowX(), by, x, this.wholeX(), state.xLog);
    if (state.y && y !== null) {
      state.y = zoomed(state.y, by, y, this.wholeY(null), state.log);
    }
    this.sayZoom();
  }

  private zoomAt(by: number): void {
    const { point } = this.state;
    const middle = this.across.of((this.across.start + this.across.end) / 2);
    this.zoomTo(by, point >= 0 ? this.x[point] : middle, null);
  }

  private reset(): void {
    this.state.x = this.state.y = null;
    this.sayZoom();
  }

  private sayZoom(): void {
    const { low, high } = this.nowX();
    this.frame.say(this.frame.words('shown: {low} to {high}', { low: numberText(low), high: numberText(high) }));
    this.again();
  }

  private again(): void {
    this.layers.queue(true);
  }

  private press(key: string, event: KeyboardEvent): boolean {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -this.points, End: this.points }[key];
    const turn = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (event.shiftKey && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      this.state.x = panned(this.nowX(), key === 'ArrowLeft' ? -0.2 : 0.2, this.wholeX(), this.state.xLog);
      this.sayZoom();
    } else if (event.shiftKey && turn) {
      this.state.y = panned(this.nowY(), turn * -0.2, this.wholeY(null), this.state.log);
      this.sayZoom();
    } else if (step) {
      this.step(step);
    } else if (turn) {
      this.turn(turn);
    } else if (key === '+' || key === '=' || key === '-' || key === '_') {
      this.zoomAt(key === '+' || key === '=' ? 0.5 : 2);
    } else if (key === '0') {
      this.reset();
    } else if (key === 'Escape' && (this.state.point >= 0 || this.state.x || this.state.y)) {
      this.state.point >= 0 ? this.go(-1, -1) : this.reset();
    } else {
      return false;
    }
    return true;
  }

  /** By so many points, and to either end; the window follows where it is out of sight. */
  private step(by: number): void {
    const { point } = this.state;
    const whole = Math.abs(by) >= this.points;
    const next = point < 0 && !whole ? this.nearestPoint(by > 0 ? this.across.start : this.across.end) : Math.min(this.points - 1, Math.max(0, point + by));
    const span = this.state.x;
    if (span && next >= 0 && (this.x[next] < span.low || this.x[next] > span.high)) {
      this.state.x = centred(span, this.x[next], this.wholeX(), this.state.xLog);
      this.across = new Scale(this.state.x, this.state.xLog, this.across.start, this.across.end);
      this.again();
    }
    this.go(next);
  }

  /** To the line above or below, at the point. */
  private turn(by: number): void {
    const point = this.state.point < 0 ? this.nearestPoint((this.across.start + this.across.end) / 2) : this.state.point;
    const order = this.shown().sort((a, b) => far(-this.value(a, point)) - far(-this.value(b, point)) || a - b);
    const now = order.indexOf(this.state.line);
    this.go(point, order[now < 0 ? 0 : Math.min(order.length - 1, Math.max(0, now + by))] ?? -1);
  }
}

/** What is no number is farther than any. */
function far(away: number): number {
  return Number.isNaN(away) ? Infinity : away;
}

function ends(scale: Scale, a: number, b: number): Span {
  const [low, high] = [scale.of(a), scale.of(b)];
  return low <= high ? { low, high } : { low: high, high: low };
}

export function lines(frame: Frame): View {
  return new Lines(frame);
}
