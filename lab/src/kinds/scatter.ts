/** Points in two or three dimensions: searched, zoomed, turned, picked with a lasso or the keyboard; a density where they are many. */
import { BELOW, bottomAxis, labelFont, leftAxis, leftRoom, line, ticked, type Box } from '../axes.js';
import { clip } from '../canvas.js';
import { Cloud } from '../cloud.js';
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { inside } from '../lasso.js';
import { Layers } from '../layers.js';
import { legend } from '../legend.js';
import { category, CATEGORIES, stampOf, trace, valueRamp, type Stamp } from '../marks.js';
import { Placing } from '../placing.js';
import { mixed, pixelOf, Raster } from '../raster.js';
import { Reader } from '../reader.js';
import { countText, numberText, Scale } from '../scale.js';
import { rotation, seen, SIDE, UP } from '../turn.js';
import type { Frame, View } from '../view.js';
import { addChinese } from '../words.js';
import { keys, listen, type Drag } from '../zoom.js';

addChinese({
  'find a point': '查找点',
  '{found} of {all} points match': '{all} 个点中有 {found} 个匹配',
  'no point matches': '没有匹配的点',
  'select matches': '选中匹配的点',
  'select what is in sight': '选中视野内的点',
  dragging: '拖动',
  moves: '平移',
  turns: '旋转',
  'draws a lasso': '套索选择',
  drawn: '画法',
  'as fits': '自动',
  points: '点',
  density: '密度',
  spin: '缓慢旋转',
  '{count} selected': '已选 {count} 个',
  '{count} in sight': '视野内 {count} 个',
  'copy labels': '复制标签',
  'clear selection': '清除选择',
  'copied: {count}': '已复制:{count}',
  'copy these by hand': '请手动复制',
  'and {more} more': '另有 {more} 个',
  selected: '已选',
  'labels are cut to {columns} columns': '标签截至 {columns} 列',
  'labels would take too much room and were not sent': '标签过多,未传来',
  'every {step}th of {all} points was sent': '{all} 个点中每 {step} 个传来一个',
  'Arrow keys: to the nearest point that way; Space selects it; Shift with arrows moves or turns; + and − zoom; 0 shows all. Shift and drag: lasso. Click first, then the wheel zooms.':
    '方向键:移到该方向最近的点;空格选中;Shift 加方向键平移或旋转;+ − 缩放;0 显示全图。按住 Shift 拖动:套索。单击后可用滚轮缩放。'
});

/** More in sight are a density, where the reader did not say otherwise. */
const DENSE = 5000;
const CELL = 3;
const REACH = 14;
const TRIED = 400;
const LABELS = 140;
const LABELS_DENSE = 70;
/** Few points may have their labels farther away, with a line between. */
const LED = 120;
const LISTED = 100;
const DEPTHS = 6;
const PALE = 0.8;
/** More selected ones have a thinner rim, so that they do not cover each other. */
const MANY = 500;
const NEAREST = 1e5;
/** Room round the box, for the names of its edges. */
const BESIDE = 60;
const ABOVE = 22;

interface State {
  search: string;
  how: string;
  lasso: boolean;
  spin: boolean;
  at: number;
  zoom: number;
  /** The middle of what is seen: values in two dimensions, shares of the plot in three. */
  middle: [number, number] | null;
  side: number;
  up: number;
  readonly hidden: Set<number>;
  readonly selected: Set<number>;
}

const states = new WeakMap<Figure, State>();

class Scatter implements View {
  private readonly cloud: Cloud;
  private readonly dims: number;
  private readonly labels: string[] | null;
  private readonly groups: Uint8Array | null;
  private readonly groupNames: string[];
  private readonly axes: string[];
  private readonly state: State;
  private readonly layers: Layers;
  private readonly picked = element('div', 'picked');
  private readonly stamps = new Map<string, Stamp>();
  private readonly widths: Float32Array;
  private readonly extent: [number, number];
  private readonly colours: number[];
  private readonly densities: Uint32Array[];
  private matches: Uint8Array | null = null;
  private found = 0;
  private raster: Raster | null = null;
  private box: Box = { left: 0, top: 0, right: 1, bottom: 1 };
  private lasso: number[] = [];
  private turning = 0;
  private moving = false;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const { shape, values } = pointsOf(reader);
    this.dims = shape[1];
    this.cloud = new Cloud(values, this.dims);
    const n = this.cloud.n;
    this.labels = reader.has('labels') ? reader.texts('labels') : null;
    this.groupNames = reader.has('groupNames') ? reader.texts('groupNames').slice(0, CATEGORIES) : [];
    this.groups = reader.has('group') ? Uint8Array.from(reader.numbers('group', 0, 255).values) : null;
    this.axes = ['x', 'y', 'z'].map((letter, d) => (reader.has('axes') && reader.texts('axes')[d]) || letter);
    if ((this.labels && this.labels.length !== n) || (this.groups && (this.groups.length !== n || this.groups.some(group => group >= this.groupNames.length)))) {
      throw new Error(`${n} points with other numbers of labels or groups`);
    }
    this.widths = new Float32Array(n);
    this.extent = this.dims === 3 ? this.extentOf() : [1, 1];
    this.colours = Array.from({ length: Math.max(1, this.groupNames.length) }, (_none, i) => pixelOf(category(frame.look, i)));
    this.densities = this.groups ? this.colours.map(colour => this.shades(colour)) : [valueRamp(reader, frame.look, 0.22)];
    this.state = states.get(frame.figure) ?? {
      search: '', how: 'auto', lasso: false, spin: false, at: -1, zoom: 1, middle: null, side: SIDE, up: UP, hidden: new Set(), selected: new Set()
    };
    states.set(frame.figure, this.state);
    this.addTools();
    const hint = frame.words(
      'Arrow keys: to the nearest point that way; Space selects it; Shift with arrows moves or turns; + and − zoom; 0 shows all. Shift and drag: lasso. Click first, then the wheel zooms.'
    );
    this.layers = new Layers(frame, hint, { base: context => this.paint(context), top: context => this.paintOver(context) });
    if (this.groups) {
      frame.host.append(this.makeLegend());
    }
    frame.host.append(this.layers.node, element('p', 'hint', [...this.cuts(reader), hint].join(' · ')), this.picked);
    this.listen();
    this.match();
    this.listPicked();
    this.spin();
  }

  draw(width: number): void {
    this.layers.draw(Math.min(width, 800), this.heightFor(Math.min(width, 800)));
  }

  dispose(): void {
    cancelAnimationFrame(this.turning);
    this.layers.dispose();
  }

  /** From pale to the group's own colour. */
  private shades(colour: number): Uint32Array {
    const paper = pixelOf(this.frame.look.paper);
    return Uint32Array.from({ length: 32 }, (_none, i) => mixed(paper, colour, 0.34 + (0.66 * i) / 31));
  }

  /** What the figure leaves out to stay small. */
  private cuts(reader: Reader): string[] {
    const say = this.frame.words;
    const all = reader.number('count', this.cloud.n);
    const step = Math.round(all / Math.max(1, this.cloud.n));
    const columns = reader.number('labelColumns', -1);
    return [
      ...(step > 1 ? [say('every {step}th of {all} points was sent', { step, all: countText(all) })] : []),
      ...(columns > 0 ? [say('labels are cut to {columns} columns', { columns })] : columns === 0 ? [say('labels would take too much room and were not sent')] : [])
    ];
  }

  private addTools(): void {
    const { frame, state } = this;
    const say = frame.words;
    if (this.labels) {
      const search = frame.search(say('find a point'), text => {
        state.search = text;
        this.match();
        this.sayFound();
        this.again();
      });
      search.value = state.search;
      search.addEventListener('keydown', event => event.key === 'Enter' && this.nextMatch());
      frame.button(say('select matches'), () => this.select([...this.cloud.order].filter(i => this.matches?.[i])));
    }
    const choice = (value: string, label: string) => ({ value, label: say(label) });
    frame.menu(say('dragging'), [choice('move', this.dims === 3 ? 'turns' : 'moves'), choice('lasso', 'draws a lasso')], state.lasso ? 'lasso' : 'move', value => {
      state.lasso = value === 'lasso';
    });
    if (this.cloud.n > DENSE / 5) {
      frame.menu(say('drawn'), [choice('auto', 'as fits'), choice('points', 'points'), choice('density', 'density')], state.how, value => {
        state.how = value;
        this.again();
      });
    }
    if (this.dims === 3 && !frame.look.still) {
      frame.toggle(say('spin'), state.spin, on => {
        state.spin = on;
        this.spin();
      });
    }
    frame.button(say('zoom in'), () => this.zoomAt(0.5));
    frame.button(say('zoom out'), () => this.zoomAt(2));
    frame.button(say('reset view'), () => this.reset());
    frame.button(say('select what is in sight'), () => this.select(this.cloud.sight.slice(0, this.cloud.count)));
  }

  private makeLegend(): HTMLElement {
    const members = new Int32Array(this.groupNames.length);
    this.groups?.forEach(group => members[group]++);
    const entries = this.groupNames.map((name, i) => ({
      label: `${name} (${countText(members[i])})`,
      swatch: (context: CanvasRenderingContext2D) => {
        context.fillStyle = category(this.frame.look, i);
        context.beginPath();
        trace(context, i, 12, 7, 4.6);
        context.fill();
      }
    }));
    return legend(this.frame, entries, this.state.hidden, () => this.again());
  }

  /* ---- where points are seen ---- */

  private isHidden(i: number): boolean {
    return this.groups !== null && this.state.hidden.has(this.groups[i]);
  }

  private halves(): [number, number] {
    const { low, high } = this.cloud;
    return [high[0] / 2 - low[0] / 2, high[1] / 2 - low[1] / 2];
  }

  /** Distances are true unless one side is more than three times as long as the other. */
  private sameScale(): boolean {
    const [across, down] = this.halves();
    return across > 0 && down > 0 ? down / across <= 3 && down / across >= 1 / 3 : across === down;
  }

  private heightFor(width: number): number {
    const [across, down] = this.halves();
    const room = width - 60;
    if (this.dims === 3) {
      return Math.round(Math.min(600, Math.max(320, width * 0.78)));
    }
    const ratio = this.sameScale() && across > 0 ? down / across : 0.72;
    return Math.round(Math.min(620, Math.max(300, room * ratio)) + BELOW + 8);
  }

  private size(): [number, number] {
    return [this.box.right - this.box.left, this.box.bottom - this.box.top];
  }

  /** Pixels to one of the values, across and up. */
  private scaleFlat(): [number, number] {
    const [width, height] = this.size();
    const half = this.halves().map(side => (side > 0 ? side * 1.06 : this.sameScale() ? 1 : this.cloud.radius));
    const [x, y] = [width / (2 * half[0]), height / (2 * half[1])];
    const both = Math.min(x, y);
    return this.sameScale() ? [both * this.state.zoom, both * this.state.zoom] : [x * this.state.zoom, y * this.state.zoom];
  }

  /** As large as the box may be to be whole when first seen. */
  private scaleDeep(): number {
    const [width, height] = this.size();
    return Math.min((width - 2 * BESIDE) / this.extent[0], (height - 2 * ABOVE) / this.extent[1]) * this.state.zoom;
  }

  private middle(): [number, number] {
    return this.state.middle ?? (this.dims === 3 ? [0.5, 0.5] : [this.cloud.centre[0], this.cloud.centre[1]]);
  }

  private project(): void {
    const [width, height] = this.size();
    const middle = this.middle();
    if (this.dims === 3) {
      this.cloud.deep(this.state.side, this.state.up, this.scaleDeep(), [middle[0] * width, middle[1] * height]);
    } else {
      this.cloud.flat(middle, this.scaleFlat(), width, height);
    }
    this.cloud.look(width, height, i => this.isHidden(i));
  }

  /* ---- drawing ---- */

  private paint(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    const ratio = context.getTransform().a;
    const scales = this.dims === 2 ? this.layOut(context) : this.layOutDeep();
    this.project();
    const [width, height] = this.size();
    if (this.raster?.width !== Math.round(width * ratio) || this.raster.height !== Math.round(height * ratio)) {
      this.raster = new Raster(width * ratio, height * ratio);
    }
    const { raster } = this;
    raster.clear(pixelOf(look.paper));
    this.paintGround(raster, scales, ratio);
    this.isDensity() ? this.paintDensity(raster, ratio) : this.paintPoints(raster, ratio);
    raster.put(context, Math.round(this.box.left * ratio), Math.round(this.box.top * ratio));
    if (scales) {
      this.paintFrame(context);
    } else {
      this.paintNames(context);
    }
    this.paintLabels(context);
  }

  /** The plot beside its axes. */
  private layOut(context: CanvasRenderingContext2D): [Scale, Scale] {
    const { look } = this.frame;
    const { width, height } = this.layers;
    const bottom = height - BELOW;
    this.box = { left: 50, top: 6, right: width - 8, bottom };
    const down = () => {
      const [mid, each] = [this.middle()[1], this.scaleFlat()[1]];
      const half = (bottom - 6) / 2 / each;
      return new Scale({ low: mid - half, high: mid + half }, false, bottom, 6);
    };
    const left = Math.round(leftRoom(context, look, ticked(down(), 50), this.axes[1]));
    this.box = { ...this.box, left };
    const half = (this.box.right - left) / 2 / this.scaleFlat()[0];
    const mid = this.middle()[0];
    const across = new Scale({ low: mid - half, high: mid + half }, false, left, this.box.right);
    const y = down();
    leftAxis(context, look, y, ticked(y, 50), { ...this.box, right: left }, this.axes[1]);
    bottomAxis(context, look, across, ticked(across, 70), this.box, this.axes[0], false);
    return [across, y];
  }

  private layOutDeep(): null {
    this.box = { left: 0, top: 0, right: this.layers.width, bottom: this.layers.height };
    return null;
  }

  /** Grid lines, or the box round all points. */
  private paintGround(raster: Raster, scales: [Scale, Scale] | null, ratio: number): void {
    const { look } = this.frame;
    const { left, top } = this.box;
    const grid = pixelOf(look.grid);
    if (scales) {
      ticked(scales[0], 70).values.forEach(value => raster.rect(Math.round((scales[0].at(value) - left) * ratio), 0, 1, raster.height, grid));
      ticked(scales[1], 50).values.forEach(value => raster.rect(0, Math.round((scales[1].at(value) - top) * ratio), raster.width, 1, grid));
      return;
    }
    for (const [a, b] of EDGES) {
      const [from, to] = [this.corner(a), this.corner(b)];
      raster.segment(from[0] * ratio, from[1] * ratio, to[0] * ratio, to[1] * ratio, pixelOf(look.line));
    }
  }

  /** Corner `bits` (bit d: the upper end of dimension d) of the box round the points, in half sides from the middle. */
  private cornerSeen(bits: number, side: number, up: number): [number, number, number] {
    const { low, high, centre, radius } = this.cloud;
    const at = [0, 1, 2].map(d => (((bits >> d) & 1 ? high[d] : low[d]) - centre[d]) / radius);
    return seen(rotation(side, up), at[0], at[1], at[2]);
  }

  private corner(bits: number): [number, number] {
    const [across, up] = this.cornerSeen(bits, this.state.side, this.state.up);
    const [width, height] = this.size();
    const middle = this.middle();
    return [middle[0] * width + across * this.scaleDeep(), middle[1] * height - up * this.scaleDeep()];
  }

  /** How wide and how high the box is seen at first, both ways from its middle. */
  private extentOf(): [number, number] {
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(bits => this.cornerSeen(bits, SIDE, UP));
    return [0, 1].map(d => 2 * Math.max(0.05, ...corners.map(corner => Math.abs(corner[d])))) as [number, number];
  }

  private paintFrame(context: CanvasRenderingContext2D): void {
    const { left, top, right, bottom } = this.box;
    context.strokeStyle = this.frame.look.line;
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  }

  /** The axes' names, each at the middle of the lowest or the leftmost of its edges. */
  private paintNames(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    context.font = labelFont(look);
    context.fillStyle = look.quiet;
    context.textBaseline = 'middle';
    this.axes.forEach((name, d) => {
      const middles = EDGES.filter(([a, b]) => (a ^ b) === 1 << d).map(([a, b]) => {
        const [from, to] = [this.corner(a), this.corner(b)];
        return [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
      });
      const outer = middles.sort((a, b) => (d === 2 ? a[0] - b[0] : b[1] - a[1]))[0];
      context.textAlign = d === 2 ? 'right' : outer[0] < this.layers.width / 2 ? 'right' : 'left';
      context.fillText(name, outer[0] + (context.textAlign === 'right' ? -8 : 8), outer[1] + (d === 2 ? 0 : 8));
    });
  }

  private isDensity(): boolean {
    const { how } = this.state;
    return how === 'density' || (how === 'auto' && this.cloud.count > DENSE);
  }

  private radius(): number {
    const n = this.cloud.count;
    return n <= 100 ? 4.4 : n <= 500 ? 3.6 : n <= 2000 ? 2.6 : 2;
  }

  private stamp(shape: number, radius: number): Stamp {
    const key = `${shape} ${radius}`;
    const known = this.stamps.get(key) ?? stampOf(shape, radius);
    this.stamps.set(key, known);
    return known;
  }

  private paintDensity(raster: Raster, ratio: number): void {
    const { count, sight, x, y } = this.cloud;
    const paper = pixelOf(this.frame.look.paper);
    const ramps = this.matches ? this.densities.map(shades => shades.map(shade => mixed(shade, paper, 0.6))) : this.densities;
    raster.density({ count, of: sight, x, y, groups: this.groups }, ratio, Math.max(2, Math.round(CELL * ratio)), ramps);
    for (let k = 0; k < count && (this.matches || this.state.selected.size); k++) {
      const i = sight[k];
      if (this.matches?.[i] || this.state.selected.has(i)) {
        this.paintPoint(raster, i, ratio, this.state.selected.size > MANY ? 1.4 : 2.6, true);
      }
    }
  }

  /** What is not sought is pale and below; what is far, too. */
  private paintPoints(raster: Raster, ratio: number): void {
    const { count, sight } = this.cloud;
    const radius = this.radius();
    const rim = count <= 1000;
    for (const strong of this.matches ? [false, true] : [true]) {
      for (let k = 0; k < count; k++) {
        if (!this.matches || Boolean(this.matches[sight[k]]) === strong) {
          this.paintPoint(raster, sight[k], ratio, radius, strong, rim);
        }
      }
    }
  }

  private paintPoint(raster: Raster, i: number, ratio: number, radius: number, strong: boolean, rim = true): void {
    const { x, y, depth } = this.cloud;
    const group = this.groups ? this.groups[i] : 0;
    const far = depth ? Math.floor(depth[i] * (DEPTHS - 0.01)) / DEPTHS : 0;
    const r = radius * (depth ? 1.25 - 0.6 * far : 1) * ratio;
    const [px, py] = [x[i] * ratio, y[i] * ratio];
    const paper = pixelOf(this.frame.look.paper);
    if (this.state.selected.has(i)) {
      raster.stamp(this.stamp(group, r + (this.state.selected.size > MANY ? 0.8 : 2.2) * ratio), px, py, pixelOf(this.frame.look.accent));
    } else if (rim && strong) {
      raster.stamp(this.stamp(group, r + 0.9 * ratio), px, py, paper);
    }
    raster.stamp(this.stamp(group, r), px, py, this.shade(group, strong ? 0.6 * far : PALE));
  }

  private readonly mixes = new Map<number, number>();

  private shade(group: number, pale: number): number {
    const key = group * 16 + Math.round(pale * 15);
    const known = this.mixes.get(key) ?? mixed(this.colours[group], pixelOf(this.frame.look.paper), pale);
    this.mixes.set(key, known);
    return known;
  }

  /** As many labels as fit at this zoom: the chosen first, then what is sought, then a selection that is spread over the plot. */
  private paintLabels(context: CanvasRenderingContext2D): void {
    if (!this.labels) {
      return;
    }
    const { look } = this.frame;
    const [width, height] = this.size();
    const { left, top } = this.box;
    const size = this.cloud.n <= 100 ? 11 : 10;
    const placing = new Placing(width, height);
    const dense = this.isDensity();
    const r = dense ? 3 : this.radius();
    this.blockPoints(placing, dense, r);
    context.font = labelFont(look, size);
    context.textAlign = 'left';
    context.textBaseline = 'top';
    context.lineJoin = 'round';
    let room = this.moving || dense ? LABELS_DENSE : LABELS;
    const rings = this.cloud.count <= LED ? 4 : 1;
    for (const i of this.labelled()) {
      const [x, y, wide] = [this.cloud.x[i], this.cloud.y[i], this.labelWidth(context, i) + 2];
      const spot = placing.find(x, y, r, wide, size, rings);
      if (spot) {
        if (spot.led) {
          const [nearX, nearY] = [Math.min(spot.x + wide, Math.max(spot.x, x)), Math.min(spot.y + size, Math.max(spot.y, y))];
          line(context, left + x, top + y, left + nearX, top + nearY, look.quiet);
        }
        this.paintLabel(context, i, left + spot.x + 1, top + spot.y, dense);
        if (--room <= 0) {
          return;
        }
      }
    }
  }

  private blockPoints(placing: Placing, dense: boolean, r: number): void {
    const { count, sight, x, y } = this.cloud;
    for (let k = 0; k < count && !dense && count <= 2000; k++) {
      if (this.matches && !this.matches[sight[k]]) {
        continue;
      }
      placing.block(x[sight[k]] - r + 1, y[sight[k]] - r + 1, 2 * r - 2, 2 * r - 2);
    }
  }

  private labelWidth(context: CanvasRenderingContext2D, i: number): number {
    if (!this.widths[i]) {
      this.widths[i] = context.measureText(clip(context, this.labels![i], 160)).width;
    }
    return this.widths[i];
  }

  private paintLabel(context: CanvasRenderingContext2D, i: number, x: number, y: number, dense: boolean): void {
    const { look } = this.frame;
    const text = clip(context, this.labels![i], 160);
    context.strokeStyle = look.paper;
    context.lineWidth = 3;
    if (dense) {
      context.fillStyle = look.ink;
      context.beginPath();
      context.arc(this.box.left + this.cloud.x[i], this.box.top + this.cloud.y[i], 1.8, 0, 2 * Math.PI);
      context.stroke();
      context.fill();
    }
    context.strokeText(text, x, y);
    context.fillStyle = this.state.selected.has(i) ? look.accent : look.ink;
    context.fillText(text, x, y);
  }

  /** Those in sight that may have a label, the most important first. */
  private *labelled(): Iterable<number> {
    const { order, n } = this.cloud;
    const { selected } = this.state;
    let tried = 0;
    const fits = (i: number) => this.inSight(i) && tried++ < TRIED;
    for (const i of selected) {
      if (fits(i)) {
        yield i;
      }
    }
    for (let k = 0; k < n && tried < TRIED; k++) {
      const i = order[k];
      if (!selected.has(i) && (!this.matches || this.matches[i]) && fits(i)) {
        yield i;
      }
    }
  }

  private inSight(i: number): boolean {
    const [width, height] = this.size();
    const { x, y } = this.cloud;
    return x[i] >= 0 && x[i] < width && y[i] >= 0 && y[i] < height && !this.isHidden(i);
  }

  private paintOver(context: CanvasRenderingContext2D): void {
    const { look } = this.frame;
    const { at } = this.state;
    const { left, top, right, bottom } = this.box;
    context.strokeStyle = look.accent;
    if (this.lasso.length > 2) {
      context.beginPath();
      for (let k = 0; k < this.lasso.length; k += 2) {
        context.lineTo(left + this.lasso[k], top + this.lasso[k + 1]);
      }
      context.closePath();
      context.setLineDash([4, 3]);
      context.lineWidth = 1.5;
      context.stroke();
      context.globalAlpha = 0.08;
      context.fillStyle = look.accent;
      context.fill();
      return;
    }
    if (at < 0 || !this.inSight(at)) {
      return;
    }
    const [x, y] = [left + this.cloud.x[at], top + this.cloud.y[at]];
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, this.radius() + 4, 0, 2 * Math.PI);
    context.stroke();
    this.paintTag(context, this.name(at), x, y, right, Math.max(top, bottom - 24));
  }

  /** The label of the point under the mouse, on a ground of its own. */
  private paintTag(context: CanvasRenderingContext2D, name: string, x: number, y: number, right: number, lowest: number): void {
    const { look } = this.frame;
    context.font = `bold ${labelFont(look, 12)}`;
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const text = clip(context, name, 260);
    const width = context.measureText(text).width + 12;
    const from = x + 12 + width < right ? x + 12 : x - 12 - width;
    const down = Math.min(lowest, Math.max(2, y - 11));
    context.fillStyle = look.paper;
    context.fillRect(from, down, width, 22);
    context.lineWidth = 1;
    context.strokeRect(Math.round(from) + 0.5, Math.round(down) + 0.5, Math.round(width) - 1, 21);
    context.fillStyle = look.ink;
    context.fillText(text, from + 6, down + 11.5);
  }

  /* ---- what is said ---- */

  private name(i: number): string {
    return this.labels ? this.labels[i] : String(i);
  }

  private tell(i: number): string {
    const { points } = this.cloud;
    const places = Array.from({ length: this.dims }, (_none, d) => `${this.axes[d]} ${numberText(points[i * this.dims + d])}`);
    const group = this.groups ? ` · ${this.groupNames[this.groups[i]]}` : '';
    return `${this.name(i)}: ${places.join(', ')}${group}${this.state.selected.has(i) ? ` · ${this.frame.words('selected')}` : ''}`;
  }

  private go(at: number): void {
    if (at !== this.state.at) {
      this.state.at = at;
      this.layers.queue(false);
    }
    this.frame.say(at < 0 ? '' : this.tell(at));
  }

  private match(): void {
    const sought = this.state.search.trim().toLowerCase();
    this.matches = sought && this.labels ? Uint8Array.from(this.labels, label => +label.toLowerCase().includes(sought)) : null;
    this.found = this.matches ? this.matches.reduce((sum, one) => sum + one, 0) : 0;
  }

  private sayFound(): void {
    const say = this.frame.words;
    const text = say('{found} of {all} points match', { found: countText(this.found), all: countText(this.cloud.n) });
    this.frame.say(!this.matches ? '' : this.found ? text : say('no point matches'));
  }

  private nextMatch(): void {
    if (!this.found) {
      return;
    }
    const { n } = this.cloud;
    let i = Math.max(-1, this.state.at);
    do {
      i = (i + 1) % n;
    } while (!this.matches![i]);
    this.reveal(i);
    this.go(i);
  }

  /** Brings a point into sight. */
  private reveal(i: number): void {
    if (this.groups) {
      this.state.hidden.delete(this.groups[i]);
    }
    if (!this.inSight(i)) {
      const { points } = this.cloud;
      this.dims === 3 ? this.reset() : (this.state.middle = [points[2 * i], points[2 * i + 1]]);
    }
    this.again();
  }

  /* ---- the selection ---- */

  private select(points: Iterable<number>): void {
    for (const i of points) {
      this.state.selected.add(i);
    }
    this.changed();
  }

  private toggle(i: number): void {
    if (!this.state.selected.delete(i)) {
      this.state.selected.add(i);
    }
    this.changed();
    this.frame.say(`${this.tell(i)} · ${this.frame.words('{count} selected', { count: countText(this.state.selected.size) })}`);
  }

  private changed(): void {
    this.listPicked();
    this.frame.say(this.frame.words('{count} selected', { count: countText(this.state.selected.size) }));
    this.again();
  }

  private listPicked(): void {
    const say = this.frame.words;
    const { selected } = this.state;
    if (!selected.size) {
      this.picked.replaceChildren();
      return;
    }
    const list = element('ul', 'chosen');
    list.setAttribute('aria-label', say('selected'));
    list.tabIndex = 0;
    const sorted = [...selected].sort((a, b) => a - b);
    list.append(...sorted.slice(0, LISTED).map(i => element('li', 'one', this.name(i))));
    if (sorted.length > LISTED) {
      list.append(element('li', 'more', say('and {more} more', { more: countText(sorted.length - LISTED) })));
    }
    const button = (label: string, act: () => void) => {
      const made = element('button', 'button', label);
      made.type = 'button';
      made.addEventListener('click', act);
      return made;
    };
    const head = element('div', 'tools', say('{count} selected', { count: countText(sorted.length) }));
    head.append(
      button(say('copy labels'), () => void this.copy(sorted)),
      button(say('clear selection'), () => {
        selected.clear();
        this.changed();
      })
    );
    this.picked.replaceChildren(head, list);
  }

  /** Where the browser lets no page write to the clipboard, the labels are shown to be copied by hand. */
  private async copy(points: readonly number[]): Promise<void> {
    const text = points.map(i => this.name(i)).join('\n');
    const say = this.frame.words;
    try {
      await navigator.clipboard.writeText(text);
      this.frame.say(say('copied: {count}', { count: countText(points.length) }));
    } catch {
      const area = element('textarea', 'copy');
      area.value = text;
      area.readOnly = true;
      area.setAttribute('aria-label', say('copy these by hand'));
      this.picked.append(area);
      area.select();
      this.frame.say(say('copy these by hand'));
    }
  }

  /* ---- mouse and keyboard ---- */

  private listen(): void {
    const { top } = this.layers;
    listen(top, {
      hover: (x, y) => this.go(this.cloud.nearest(x - this.box.left, y - this.box.top, REACH)),
      leave: () => this.go(-1),
      click: (x, y) => {
        const i = this.cloud.nearest(x - this.box.left, y - this.box.top, REACH);
        if (i >= 0) {
          this.toggle(i);
        }
      },
      drag: (x, y, event) => (event.shiftKey !== this.state.lasso ? this.lassoDrag(x, y) : this.moveDrag(x, y)),
      zoom: (by, x, y) => this.zoomTo(by, x - this.box.left, y - this.box.top),
      reset: () => this.reset()
    });
    keys(top, (key, event) => this.press(key, event));
  }

  private moveDrag(x: number, y: number): Drag {
    let [x0, y0] = [x, y];
    const move = (x1: number, y1: number) => {
      this.moving = true;
      this.dims === 3 ? this.turn((x1 - x0) * 0.01, (y1 - y0) * 0.01) : this.pan(x0 - x1, y0 - y1);
      [x0, y0] = [x1, y1];
    };
    const end = () => {
      this.moving = false;
      this.again();
    };
    return { move, end, cancel: end };
  }

  private lassoDrag(x: number, y: number): Drag {
    const { left, top } = this.box;
    this.lasso = [x - left, y - top];
    const finish = () => {
      this.lasso = [];
      this.layers.queue(false);
    };
    return {
      move: (x1, y1) => {
        this.lasso.push(x1 - left, y1 - top);
        this.layers.queue(false);
      },
      end: () => {
        const polygon = this.lasso;
        finish();
        const { count, sight } = this.cloud;
        this.select(sight.slice(0, count).filter(i => inside(polygon, this.cloud.x[i], this.cloud.y[i])));
      },
      cancel: finish
    };
  }

  /** By pixels. */
  private pan(dx: number, dy: number): void {
    const middle = this.middle();
    if (this.dims === 3) {
      const [width, height] = this.size();
      this.state.middle = [middle[0] - dx / width, middle[1] - dy / height];
    } else {
      const scale = this.scaleFlat();
      const bound = (at: number, d: number) => Math.min(this.cloud.high[d], Math.max(this.cloud.low[d], at));
      this.state.middle = [bound(middle[0] + dx / scale[0], 0), bound(middle[1] - dy / scale[1], 1)];
    }
    this.again();
  }

  private turn(side: number, up: number): void {
    this.state.side += side;
    this.state.up = Math.min(Math.PI / 2, Math.max(-Math.PI / 2, this.state.up + up));
    this.again();
  }

  /** `by` below 1: nearer. What lies at the place keeps it. */
  private zoomTo(by: number, x: number, y: number): void {
    const { state } = this;
    const zoom = Math.min(NEAREST, Math.max(0.5, state.zoom / by));
    const grown = zoom / state.zoom;
    const [width, height] = this.size();
    const middle = this.middle();
    if (this.dims === 3) {
      state.middle = [(x + (middle[0] * width - x) * grown) / width, (y + (middle[1] * height - y) * grown) / height];
    } else {
      const scale = this.scaleFlat();
      state.middle = [middle[0] + ((x - width / 2) / scale[0]) * (1 - 1 / grown), middle[1] - ((y - height / 2) / scale[1]) * (1 - 1 / grown)];
    }
    state.zoom = zoom;
    this.layers.draw(this.layers.width, this.layers.height);
    this.frame.say(this.frame.words('{count} in sight', { count: countText(this.cloud.count) }));
  }

  /** Round the point that the keyboard chose, or the middle. */
  private zoomAt(by: number): void {
    const { at } = this.state;
    const [width, height] = this.size();
    const chosen = at >= 0 && this.inSight(at);
    this.zoomTo(by, chosen ? this.cloud.x[at] : width / 2, chosen ? this.cloud.y[at] : height / 2);
  }

  private reset(): void {
    Object.assign(this.state, { zoom: 1, middle: null, side: SIDE, up: UP });
    this.layers.draw(this.layers.width, this.layers.height);
    this.frame.say(this.frame.words('{count} in sight', { count: countText(this.cloud.count) }));
  }

  private again(): void {
    this.layers.queue(true);
  }

  /** Turns by itself only where the reader said so, and never where less motion was asked for. */
  private spin(): void {
    cancelAnimationFrame(this.turning);
    if (this.state.spin && !this.frame.look.still) {
      const step = () => {
        this.turn(0.004, 0);
        this.turning = requestAnimationFrame(step);
      };
      this.turning = requestAnimationFrame(step);
    }
  }

  private press(key: string, event: KeyboardEvent): boolean {
    const way = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<string, [number, number]>)[key];
    const { at, selected } = this.state;
    if (way && event.shiftKey) {
      this.dims === 3 ? this.turn(way[0] * 0.1, way[1] * 0.1) : this.pan(way[0] * 60, way[1] * 60);
    } else if (way) {
      this.step(way[0], way[1]);
    } else if ((key === ' ' || key === 'Enter') && at >= 0) {
      this.toggle(at);
    } else if (key === '+' || key === '=' || key === '-' || key === '_') {
      this.zoomAt(key === '+' || key === '=' ? 0.5 : 2);
    } else if (key === '0') {
      this.reset();
    } else if (key === 'Escape' && (at >= 0 || selected.size)) {
      at >= 0 ? this.go(-1) : (selected.clear(), this.changed());
    } else {
      return false;
    }
    return true;
  }

  /** To the nearest point that way; where there is none in sight, the plot moves. */
  private step(dx: number, dy: number): void {
    const [width, height] = this.size();
    const { at } = this.state;
    const known = at >= 0 && this.inSight(at);
    const next = known ? this.cloud.toward(at, dx, dy) : this.cloud.nearest(width / 2, height / 2, width + height);
    if (next >= 0) {
      this.go(next);
    } else if (this.dims === 2 && this.state.zoom > 1) {
      this.pan(dx * 60, dy * 60);
    }
  }
}

const EDGES = Array.from({ length: 8 }, (_none, a) => [1, 2, 4].filter(bit => !(a & bit)).map(bit => [a, a | bit] as const)).flat();

/** Exact where they are few; else each number as one of 65,535 steps between the least and the largest of its dimension. */
function pointsOf(reader: Reader): { shape: readonly number[]; values: Float32Array } {
  const exact = reader.has('points');
  const { shape, values } = reader.numbers(exact ? 'points' : 'coordinates', 0, 65534);
  if (shape.length !== 2 || (shape[1] !== 2 && shape[1] !== 3)) {
    throw new Error(`points have 2 or 3 dimensions, not ${shape.join(' × ')}`);
  }
  if (exact) {
    return { shape, values };
  }
  const [low, high] = [reader.values('low'), reader.values('high')];
  const dims = shape[1];
  return { shape, values: values.map((step, i) => low[i % dims] + (step / 65534) * (high[i % dims] - low[i % dims])) };
}

export function scatter(frame: Frame): View {
  return new Scatter(frame);
}
