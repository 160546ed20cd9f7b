/** Histograms: small plots below each other, or strips where they are many; one of them enlarged; zoomed; beside the other model's. */
import { BELOW, bottomAxis, labelFont, leftAxis, leftRoom, line, ticked, type Box } from '../axes.js';
import { clip } from '../canvas.js';
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Layers } from '../layers.js';
import { category, colourOf, valueRamp } from '../marks.js';
import { Reader } from '../reader.js';
import { countText, numberText, Scale, spanOf, usable, type Span } from '../scale.js';
import type { Frame, View } from '../view.js';
import { addChinese } from '../words.js';
import { centred, keys, listen, panned, zoomed, type Drag } from '../zoom.js';

addChinese({
  '{joined} bins are shown as one': '每 {joined} 格合为一格',
  row: '行',
  'all rows': '所有行',
  'logarithmic counts': '计数取对数',
  'beside {name}': '对比 {name}',
  '{low} to {high}: {count}': '{low} 至 {high}:{count}',
  '{share} of {all}': '占 {all} 的 {share}',
  'exactly zero: {count}': '恰为零:{count}',
  'NaN or infinite: {count}': 'NaN 或无穷:{count}',
  '{all} values': '{all} 个值',
  'half are below {median}': '一半小于 {median}',
  'half of the others are below {median}': '其余的一半小于 {median}',
  'none is NaN or infinite': '无 NaN 或无穷',
  'rows shown': '显示的行',
  'Drag: zoom into a range; Shift: move; click: enlarge a row. Keys: left and right from bin to bin, up and down from row to row, Enter enlarges, Escape goes back, + and − zoom, 0 shows all.':
    '拖动:放大所选范围;按住 Shift 拖动:平移;单击:放大一行。键盘:左右键逐格移动,上下键换行,回车放大,Esc 返回,+ − 缩放,0 显示全部。'
});

const PLOTS = 12;
/** Rows on a page: as strips they are no taller than a canvas may be. */
const PAGE = 1000;
const BUCKET = 20;
const ASIDE = 26;
const HEAD = 20;
const FEWEST = 0.7;
const BAD = '#a3211a';

interface State {
  row: number;
  page: number;
  log: boolean;
  beside: boolean;
  x: Span | null;
  /** Where the crosshair is; bin -1: the zeros, `bins`: what is no number. */
  at: { row: number; bin: number } | null;
}

const states = new WeakMap<Figure, State>();

class Histogram implements View {
  private readonly rows: number;
  private readonly bins: number;
  private readonly counts: Float32Array;
  private readonly other: Float32Array | null;
  private readonly zeros: Float32Array | null;
  private readonly bad: Float32Array | null;
  private readonly edges: Float32Array;
  private readonly edgesLog: boolean;
  private readonly labels: string[];
  private readonly keys: string[];
  private readonly measure: string;
  private readonly counted: string;
  private readonly ramp: Uint32Array;
  private readonly state: State;
  private readonly layers: Layers;
  private menu: HTMLSelectElement | null = null;
  private pages: HTMLSelectElement | null = null;
  private width = 0;
  private left = 0;
  private right = 0;
  private top = 0;
  private plot = 0;
  private pitch = 0;
  private across = new Scale({ low: 0, high: 1 }, false, 0, 1);
  private framed: { x0: number; x1: number } | null = null;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const { shape, values } = reader.numbers('counts');
    [this.rows, this.bins] = shape;
    this.counts = values;
    this.edges = reader.numbers('edges').values;
    this.labels = reader.texts('labels');
    if (shape.length !== 2 || !this.rows || !this.bins || this.edges.length !== this.bins + 1 || this.labels.length !== this.rows) {
      throw new Error(`${this.edges.length} edges and ${this.labels.length} labels for counts of ${shape.join(' × ')}`);
    }
    this.edgesLog = reader.flag('log') && this.edges[0] > 0;
    this.other = this.fitting(reader, 'other', values.length);
    this.zeros = this.fitting(reader, 'zeros', this.rows);
    this.bad = this.fitting(reader, 'bad', this.rows);
    this.keys = reader.has('keys') ? reader.texts('keys') : ['', ''];
    this.measure = reader.text('measure', '');
    this.counted = reader.text('counted', '');
    this.ramp = valueRamp(reader, frame.look, 0.1);
    this.state = states.get(frame.figure) ?? { row: -1, page: 0, log: true, beside: true, x: null, at: null };
    states.set(frame.figure, this.state);
    this.addTools();
    const hint = frame.words(
      'Drag: zoom into a range; Shift: move; click: enlarge a row. Keys: left and right from bin to bin, up and down from row to row, Enter enlarges, Escape goes back, + and − zoom, 0 shows all.'
    );
    this.layers = new Layers(frame, hint, { base: context => this.paint(context), top: context => this.paintOver(context) });
    const joined = reader.number('joined', 1);
    const cut = joined > 1 ? `${frame.words('{joined} bins are shown as one', { joined })} · ` : '';
    frame.host.append(this.layers.node, element('p', 'hint', cut + hint));
    this.listen();
  }

  draw(width: number): void {
    this.width = Math.min(width, 860);
    const shown = this.shown().length;
    const strips = this.strips();
    this.plot = strips ? Math.max(6, Math.min(18, Math.floor(1100 / shown))) : shown === 1 ? 280 : shown <= 4 ? 110 : 70;
    this.pitch = strips ? this.plot : this.plot + 12 + this.head();
    this.top = this.head() + (strips ? 4 : 6) + (this.besides() ? 20 : 0);
    this.layers.draw(this.width, Math.max(strips ? 240 : 0, this.top + this.pitch * (shown - 1) + this.plot + BELOW));
  }

  dispose(): void {
    this.layers.dispose();
  }

  private fitting(reader: Reader, name: string, count: number): Float32Array | null {
    const values = reader.has(name) ? reader.numbers(name).values : null;
    if (values && values.length !== count) {
      throw new Error(`${name} has ${values.length} numbers, not ${count}`);
    }
    return values;
  }

  private addTools(): void {
    const { frame, state } = this;
    const say = frame.words;
    if (this.rows > 1) {
      const choices = [{ value: '-1', label: say('all rows') }, ...this.labels.map((label, i) => ({ value: String(i), label }))];
      this.menu = frame.menu(say('row'), choices, String(state.row), value => this.enlarge(+value));
    }
    if (this.rows > PAGE) {
      const choices = Array.from({ length: Math.ceil(this.rows / PAGE) }, (_none, i) => ({ value: String(i), label: this.pageName(i) }));
      this.pages = frame.menu(say('rows shown'), choices, String(state.page), value => this.turn(+value));
    }
    frame.toggle(say('logarithmic counts'), state.log, on => {
      state.log = on;
      this.again();
    });
    if (this.other) {
      frame.toggle(say('beside {name}', { name: this.keys[1] ?? '' }), state.beside, on => {
        state.beside = on;
        this.again();
      });
    }
    frame.button(say('zoom in'), () => this.zoomAt(0.5));
    frame.button(say('zoom out'), () => this.zoomAt(2));
    frame.button(say('reset view'), () => this.reset());
  }

  /* ---- what there is ---- */

  private shown(): number[] {
    const { row, page } = this.state;
    const count = Math.min(PAGE, this.rows - page * PAGE);
    return row >= 0 ? [row] : Array.from({ length: count }, (_none, i) => page * PAGE + i);
  }

  private pageName(page: number): string {
    return `${page * PAGE + 1}–${Math.min(this.rows, (page + 1) * PAGE)} / ${this.rows}`;
  }

  /** Shows another page of rows. */
  private turn(page: number): void {
    this.state.page = page;
    if (this.pages) {
      this.pages.value = String(page);
    }
    this.enlarge(-1);
    this.frame.say(this.pageName(page));
  }

  private strips(): boolean {
    return this.shown().length > PLOTS;
  }

  /** Above each plot for its label. */
  private head(): number {
    return !this.strips() && this.labels.some(label => label) ? HEAD : 0;
  }

  private besides(): Float32Array | null {
    return this.state.beside && !this.strips() ? this.other : null;
  }

  private count(row: number, bin: number): number {
    return bin < 0 ? (this.zeros?.[row] ?? 0) : bin >= this.bins ? (this.bad?.[row] ?? 0) : this.counts[row * this.bins + bin];
  }

  private countsOf(row: number): Float32Array {
    return this.counts.subarray(row * this.bins, (row + 1) * this.bins);
  }

  private total(row: number): number {
    return this.countsOf(row).reduce((sum, count) => sum + count, 0) + this.count(row, -1) + this.count(row, this.bins);
  }

  private wholeX(): Span {
    return usable({ low: this.edges[0], high: this.edges[this.bins] }, this.edgesLog);
  }

  private nowX(): Span {
    return this.state.x ?? this.wholeX();
  }

  /** The largest count that is in sight: of all rows, so that they can be compared. */
  private most(): number {
    const first = this.binAt(this.across.low);
    const end = this.binAt(this.across.high) + 1;
    let most = 1;
    for (const row of this.shown()) {
      for (const counts of [this.counts, ...(this.besides() ? [this.besides()!] : [])]) {
        const high = spanOf(counts, false, row * this.bins + first, row * this.bins + end).high;
        most = high > most ? high : most;
      }
      most = Math.max(most, this.count(row, -1) || 0, this.count(row, this.bins) || 0);
    }
    return Number.isFinite(most) ? most : 1;
  }

  /** The bin that holds the value. */
  private binAt(value: number): number {
    let low = 0;
    let high = this.bins - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      this.edges[middle] <= value ? (low = middle) : (high = middle - 1);
    }
    return low;
  }

  private median(row: number): number {
    const counts = this.countsOf(row);
    const half = counts.reduce((sum, count) => sum + count, 0) / 2;
    let seen = 0;
    const bin = counts.findIndex(count => (seen += count) > 0 && seen >= half);
    return bin < 0 ? NaN : this.edgesLog ? Math.sqrt(this.edges[bin] * this.edges[bin + 1]) : (this.edges[bin] + this.edges[bin + 1]) / 2;
  }

  /* ---- drawing ---- */

  private rowTop(place: number): number {
    return this.top + this.pitch * place;
  }

  private ruler(place: number): Scale {
    const most = this.most();
    const span = this.state.log ? { low: FEWEST, high: Math.max(10, most * 1.25) } : { low: 0, high: most * 1.06 };
    return new Scale(span, this.state.log, this.rowTop(place) + this.plot, this.rowTop(place));
  }

  private paint(context: CanvasRenderingContext2D): void {
    const shown = this.shown();
    this.placeColumns(context);
    this.strips() ? this.paintStrips(context, shown) : this.paintPlots(context, shown);
    const { look } = this.frame;
    const bottom = this.rowTop(shown.length - 1) + this.plot;
    const box: Box = { left: this.across.start, right: this.across.end, top: this.top, bottom };
    bottomAxis(context, look, this.across, ticked(this.across, 62), box, this.measure, false);
    context.font = labelFont(look);
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.fillStyle = look.ink;
    if (this.zeros) {
      context.fillText('= 0', this.left + BUCKET / 2, bottom + 7);
    }
    if (this.bad) {
      context.fillStyle = look.shade(BAD);
      context.fillText('NaN/∞', this.badLeft() + BUCKET / 2, bottom + 7);
    }
  }

  /** From left to right: labels or the axis of counts, zeros, bins, what is no number. */
  private placeColumns(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    context.font = labelFont(look);
    if (this.strips()) {
      const widest = this.labels.reduce((most, label) => Math.max(most, context.measureText(label).width), 0);
      this.left = Math.min(widest, this.width * 0.3) + 8;
    } else {
      this.across = new Scale(this.nowX(), this.edgesLog, 0, 1);
      this.left = leftRoom(context, look, ticked(this.ruler(0), 24), this.counted);
    }
    const bins = this.left + (this.zeros ? BUCKET + ASIDE : 0);
    const scale = this.strips() ? 84 : 10;
    this.right = Math.max(bins + 60, this.width - scale - (this.bad ? BUCKET + 1.4 * ASIDE : 0));
    this.across = new Scale(this.nowX(), this.edgesLog, bins, this.right);
  }

  private badLeft(): number {
    return this.right + 1.4 * ASIDE;
  }

  private end(): number {
    return this.bad ? this.badLeft() + BUCKET : this.right;
  }

  private paintPlots(context: CanvasRenderingContext2D, shown: readonly number[]): void {
    if (this.besides()) {
      this.paintKeys(context);
    }
    shown.forEach((row, place) => this.paintPlot(context, row, place, place === shown.length >> 1));
  }

  private paintKeys(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    context.font = labelFont(look);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    let x = this.left;
    this.keys.slice(0, 2).forEach((key, which) => {
      context.fillStyle = category(look, which);
      context.fillRect(x, which ? 8 : 5, 16, which ? 2 : 9);
      context.fillStyle = look.ink;
      const text = clip(context, key, this.width / 2 - 60);
      context.fillText(text, x + 22, 10);
      x += context.measureText(text).width + 40;
    });
  }

  private paintPlot(context: CanvasRenderingContext2D, row: number, place: number, titled: boolean): void {
    const { look } = this.frame;
    const scale = this.ruler(place);
    const bottom = scale.start;
    leftAxis(context, look, scale, ticked(scale, 24), { left: this.left, right: this.end(), top: scale.end, bottom }, titled ? this.counted : '');
    context.save();
    context.beginPath();
    context.rect(this.across.start, scale.end - 2, this.right - this.across.start, this.plot + 4);
    context.clip();
    context.fillStyle = category(look, 0);
    const [first, end] = this.binsInSight();
    for (let bin = first; bin < end; bin++) {
      this.column(context, scale, this.across.at(this.edges[bin]), this.across.at(this.edges[bin + 1]), this.count(row, bin));
    }
    if (this.besides()) {
      this.paintOther(context, scale, row, first, end);
    }
    context.restore();
    context.fillStyle = look.quiet;
    this.column(context, scale, this.left, this.left + BUCKET, this.zeros ? this.count(row, -1) : 0);
    context.fillStyle = look.shade(BAD);
    this.column(context, scale, this.badLeft(), this.badLeft() + BUCKET, this.count(row, this.bins));
    line(context, this.left, bottom - 0.5, this.end(), bottom - 0.5, look.quiet);
    context.font = `bold ${labelFont(look, 12)}`;
    context.textAlign = 'left';
    context.textBaseline = 'bottom';
    context.fillStyle = look.ink;
    context.fillText(clip(context, this.labels[row], this.end() - this.left), this.left, scale.end - 3);
  }

  private binsInSight(): [number, number] {
    return [this.binAt(this.across.low), this.binAt(this.across.high) + 1];
  }

  private height(scale: Scale, count: number): number {
    return count > 0 ? scale.start - scale.at(this.state.log ? Math.max(count, FEWEST) : count) : 0;
  }

  private column(context: CanvasRenderingContext2D, scale: Scale, x0: number, x1: number, count: number): void {
    const high = this.height(scale, count);
    const gap = x1 - x0 > 5 ? 0.6 : 0;
    if (high > 0) {
      context.fillRect(x0 + gap / 2, scale.start - high, Math.max(x1 - x0 - gap, 0.8), high);
    }
  }

  /** A line along the tops of the other's bars, and down where there is none. */
  private paintOther(context: CanvasRenderingContext2D, scale: Scale, row: number, first: number, end: number): void {
    context.beginPath();
    let before = 0;
    for (let bin = first; bin <= end; bin++) {
      const high = bin < end ? this.height(scale, this.other![row * this.bins + bin]) : 0;
      const x = this.across.at(this.edges[bin]);
      before > 0 ? context.lineTo(x, scale.start - before) : context.moveTo(x, scale.start - before);
      if (before > 0 || high > 0) {
        context.lineTo(x, scale.start - high);
      }
      before = high;
    }
    context.strokeStyle = this.frame.look.paper;
    context.lineWidth = 3.4;
    context.stroke();
    context.strokeStyle = category(this.frame.look, 1);
    context.lineWidth = 1.7;
    context.stroke();
  }

  private shade(count: number, most: number): string {
    const { log } = this.state;
    const share = log ? Math.log(Math.max(1, count)) / Math.log(Math.max(10, most)) : count / most;
    return count > 0 ? colourOf(this.ramp[Math.round(255 * Math.min(1, share))]) : this.frame.look.paper;
  }

  private paintStrips(context: CanvasRenderingContext2D, shown: readonly number[]): void {
    const { look } = this.frame;
    const most = this.most();
    const high = this.plot - (this.plot >= 10 ? 1 : 0);
    const step = Math.ceil(12 / this.pitch);
    const [first, end] = this.binsInSight();
    context.font = labelFont(look, Math.min(11, Math.max(9, this.pitch * 0.75)));
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    shown.forEach((row, place) => {
      const y = this.rowTop(place);
      for (let bin = first; bin < end; bin++) {
        const [x0, x1] = this.ends(bin).map(Math.round);
        context.fillStyle = this.shade(this.count(row, bin), most);
        context.fillRect(x0, y, Math.max(1, x1 - x0), high);
      }
      if (this.zeros) {
        context.fillStyle = this.shade(this.count(row, -1), most);
        context.fillRect(this.left, y, BUCKET, high);
      }
      if (this.count(row, this.bins) > 0) {
        context.fillStyle = look.shade(BAD);
        context.fillRect(this.badLeft(), y, BUCKET, high);
      }
      if (place % step === 0) {
        context.fillStyle = look.ink;
        context.fillText(clip(context, this.labels[row], this.left - 8), this.left - 6, y + this.pitch / 2);
      }
    });
    const bottom = this.rowTop(shown.length - 1) + this.plot;
    line(context, this.left, bottom + 0.5, this.end(), bottom + 0.5, look.line);
    this.paintScale(context, most);
  }

  /** What the colours of strips stand for. */
  private paintScale(context: CanvasRenderingContext2D, most: number): void {
    const { look } = this.frame;
    const x = this.end() + 18;
    const scale = new Scale(this.state.log ? { low: 1, high: Math.max(10, most) } : { low: 0, high: most }, this.state.log, this.top + 180, this.top);
    for (let i = 0; i < 180; i++) {
      context.fillStyle = this.shade(scale.of(this.top + i + 0.5), most);
      context.fillRect(x, this.top + i, 11, 1.2);
    }
    const ticks = ticked(scale, 30);
    context.font = labelFont(look);
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    ticks.values.forEach((value, i) => {
      line(context, x + 11, scale.at(value), x + 15, scale.at(value), look.quiet);
      context.fillStyle = look.ink;
      context.fillText(ticks.labels[i], x + 18, scale.at(value));
    });
    context.fillStyle = look.quiet;
    context.fillText(`${this.counted} ${ticks.factor}`, x - 4, this.top + 196);
  }

  private paintOver(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    context.strokeStyle = look.accent;
    if (this.framed) {
      const { x0, x1 } = this.framed;
      context.setLineDash([4, 3]);
      context.strokeRect(Math.min(x0, x1), this.top, Math.abs(x1 - x0), this.layers.height - BELOW - this.top);
      return;
    }
    const { at } = this.state;
    const place = at ? this.shown().indexOf(at.row) : -1;
    if (at && place >= 0) {
      const [x0, x1] = this.ends(at.bin);
      if (x1 >= this.left && x0 <= this.end()) {
        context.lineWidth = 1.5;
        context.strokeRect(x0 - 0.5, this.rowTop(place) - 0.5, Math.max(2, x1 - x0) + 1, this.plot + 1);
      }
      context.fillStyle = look.accent;
      context.fillRect(this.left - 3, this.rowTop(place), 2, this.plot);
    }
  }

  private ends(bin: number): [number, number] {
    return bin < 0
      ? [this.left, this.left + BUCKET]
      : bin >= this.bins
        ? [this.badLeft(), this.badLeft() + BUCKET]
        : [Math.max(this.across.start, this.across.at(this.edges[bin])), Math.min(this.right, this.across.at(this.edges[bin + 1]))];
  }

  /* ---- what is said ---- */

  private share(part: number, all: number): string {
    return this.frame.words('{share} of {all}', { share: `${numberText(all > 0 ? (100 * part) / all : 0, 3)} %`, all: countText(all) });
  }

  private named(row: number, text: string): string {
    return this.labels[row] ? `${this.labels[row]}: ${text}` : text;
  }

  private sayRow(row: number): void {
    const say = this.frame.words;
    const all = this.total(row);
    const inBins = all - this.count(row, -1) - this.count(row, this.bins);
    const half = inBins < all ? 'half of the others are below {median}' : 'half are below {median}';
    const below = inBins > 0 ? [say(half, { median: numberText(this.median(row)) })] : [];
    const parts = [say('{all} values', { all: countText(all) })];
    if (this.zeros) {
      parts.push(`${say('exactly zero: {count}', { count: countText(this.count(row, -1)) })} (${this.share(this.count(row, -1), all)})`);
    }
    const bad = this.count(row, this.bins);
    parts.push(bad > 0 ? say('NaN or infinite: {count}', { count: countText(bad) }) : say('none is NaN or infinite'));
    parts.splice(inBins < all ? parts.length : 1, 0, ...below);
    this.frame.say(this.named(row, parts.join(', ')));
  }

  private sayBin(row: number, bin: number): void {
    const say = this.frame.words;
    const count = this.count(row, bin);
    const share = this.share(count, this.total(row));
    if (bin < 0 || bin >= this.bins) {
      const text = say(bin < 0 ? 'exactly zero: {count}' : 'NaN or infinite: {count}', { count: countText(count) });
      this.frame.say(this.named(row, `${text} (${share})`));
      return;
    }
    const both = this.other && this.state.beside ? ` (${this.keys[0]}), ${countText(this.other[row * this.bins + bin])} (${this.keys[1]})` : '';
    const text = say('{low} to {high}: {count}', { low: numberText(this.edges[bin]), high: numberText(this.edges[bin + 1]), count: countText(count) });
    this.frame.say(this.named(row, `${text}${both}, ${share}`));
  }

  /* ---- mouse and keyboard ---- */

  private hit(x: number, y: number): { row: number; bin: number | null } | null {
    const shown = this.shown();
    const place = Math.floor((y - this.top + this.head()) / this.pitch);
    const row = shown[Math.min(place, shown.length - 1)];
    if (row === undefined || y > this.layers.height) {
      return null;
    }
    if (x >= this.across.start && x <= this.right) {
      return { row, bin: this.binAt(this.across.of(x)) };
    }
    const bucket = this.zeros && x >= this.left && x <= this.left + BUCKET ? -1 : this.bad && x >= this.badLeft() && x <= this.end() ? this.bins : null;
    return { row, bin: bucket };
  }

  private hover(x: number, y: number): void {
    const found = this.hit(x, y);
    if (found && found.bin !== null) {
      this.go(found.row, found.bin);
      return;
    }
    this.state.at = null;
    this.layers.queue(false);
    found ? this.sayRow(found.row) : this.frame.say('');
  }

  private go(row: number, bin: number): void {
    this.state.at = { row, bin };
    this.layers.queue(false);
    this.sayBin(row, bin);
  }

  /** One row alone; -1: all. */
  private enlarge(row: number): void {
    this.state.row = row;
    if (this.menu) {
      this.menu.value = String(row);
    }
    this.draw(this.width);
    row >= 0 ? this.sayRow(row) : this.frame.say('');
  }

  private listen(): void {
    listen(this.layers.top, {
      hover: (x, y) => this.hover(x, y),
      leave: () => {
        this.state.at = null;
        this.layers.queue(false);
        this.frame.say('');
      },
      click: (x, y) => {
        const found = this.hit(x, y);
        if (found && this.rows > 1 && this.state.row < 0) {
          this.enlarge(found.row);
        }
      },
      drag: (x, _y, event) => (event.shiftKey ? this.panDrag(x) : this.frameDrag(x)),
      zoom: (by, x) => this.zoomTo(by, this.across.of(x)),
      reset: () => this.reset()
    });
    keys(this.layers.top, (key, event) => this.press(key, event));
  }

  private panDrag(x: number): Drag {
    const span = this.nowX();
    const pan = (x1: number) => {
      this.state.x = panned(span, (x - x1) / (this.right - this.across.start), this.wholeX(), this.edgesLog);
      this.again();
    };
    return { move: pan, end: pan, cancel: () => pan(x) };
  }

  private frameDrag(x: number): Drag {
    const bound = (at: number) => Math.min(this.right, Math.max(this.across.start, at));
    const finish = () => {
      this.framed = null;
      this.layers.queue(false);
    };
    return {
      move: x1 => {
        this.framed = { x0: bound(x), x1: bound(x1) };
        this.layers.queue(false);
      },
      end: x1 => {
        finish();
        const [a, b] = [this.across.of(bound(x)), this.across.of(bound(x1))];
        if (a !== b) {
          this.state.x = { low: Math.min(a, b), high: Math.max(a, b) };
          this.sayZoom();
        }
      },
      cancel: finish
    };
  }

  private zoomTo(by: number, about: number): void {
    this.state.x = zoomed(this.nowX(), by, about, this.wholeX(), this.edgesLog);
    this.sayZoom();
  }

  private zoomAt(by: number): void {
    const bin = this.state.at?.bin ?? -1;
    const inside = bin >= 0 && bin < this.bins;
    this.zoomTo(by, this.across.of(inside ? (this.ends(bin)[0] + this.ends(bin)[1]) / 2 : (this.across.start + this.across.end) / 2));
  }

  private reset(): void {
    this.state.x = null;
    this.sayZoom();
  }

  private sayZoom(): void {
    const { low, high } = this.nowX();
    this.frame.say(this.frame.words('shown: {low} to {high}', { low: numberText(low), high: numberText(high) }));
    this.again();
  }

  private again(): void {
    this.draw(this.width);
  }

  private press(key: string, event: KeyboardEvent): boolean {
    const across = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[key];
    const down = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10 }[key];
    if (event.shiftKey && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      this.state.x = panned(this.nowX(), key === 'ArrowLeft' ? -0.2 : 0.2, this.wholeX(), this.edgesLog);
      this.sayZoom();
    } else if (across || down) {
      this.step(across ?? 0, down ?? 0);
    } else if (key === 'Enter' && this.rows > 1) {
      this.enlarge(this.state.row < 0 ? (this.state.at?.row ?? this.shown()[0]) : -1);
    } else if (key === '+' || key === '=' || key === '-' || key === '_') {
      this.zoomAt(key === '+' || key === '=' ? 0.5 : 2);
    } else if (key === '0') {
      this.reset();
    } else if (key === 'Escape' && (this.state.x || (this.state.row >= 0 && this.rows > 1))) {
      this.state.x ? this.reset() : this.enlarge(-1);
    } else {
      return false;
    }
    return true;
  }

  /** The row so far down from that of the crosshair, on its page; the first in sight where there is no crosshair. */
  private rowFrom(down: number): number {
    const { at, row: alone, page } = this.state;
    const shown = this.shown();
    if (!at || alone >= 0 || !shown.includes(at.row)) {
      return shown[0];
    }
    const row = Math.min(this.rows - 1, Math.max(0, at.row + down));
    if (Math.floor(row / PAGE) !== page) {
      this.turn(Math.floor(row / PAGE));
    }
    return row;
  }

  /** From bin to bin and from row to row; the window and the page follow. */
  private step(across: number, down: number): void {
    const { at, x } = this.state;
    const row = this.rowFrom(down);
    const first = at ? at.bin : this.binAt(this.across.of((this.across.start + this.across.end) / 2));
    const bin = Math.min(this.bad ? this.bins : this.bins - 1, Math.max(this.zeros ? -1 : 0, at ? first + across : first));
    if (x && bin >= 0 && bin < this.bins && (this.edges[bin + 1] <= x.low || this.edges[bin] >= x.high)) {
      this.state.x = centred(x, (this.edges[bin] + this.edges[bin + 1]) / 2, this.wholeX(), this.edgesLog);
      this.again();
    }
    this.go(row, bin);
  }
}

export function histogram(frame: Frame): View {
  return new Histogram(frame);
}
