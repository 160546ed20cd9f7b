/** One panel under the mouse and the keys: crosshair, pins, zoom, lines, sinks; exact numbers while the kernel lives. */
import { brief } from '../canvas.js';
import { element } from '../frame.js';
import type { Frame } from '../view.js';
import { addChinese } from '../words.js';
import { columnName, makeSight, number, rowName, tellCell, tellValue, canHide, type Sight } from './heatmap_sight.js';
import { label, type HeatData, type Panel } from './heatmap_data.js';
import { Links, MOST_LINKS, thresholdStep, usualThreshold } from './heatmap_links.js';
import { Matrix, type Place } from './heatmap_matrix.js';
import { tellScores } from './heatmap_order.js';
import type { Palette, Range } from './heatmap_paint.js';
import { Tip } from './heatmap_tip.js';
import { coloursOf, show, type State } from './heatmap_state.js';

addChinese({
  '← overview': '← 总览',
  'shown as': '显示为',
  'heat map': '热图',
  'lines': '连线',
  'links from': '连线下限',
  'hide sinks': '隐藏汇聚点',
  'zoom out': '缩小',
  'exact values': '精确数值',
  'saved values, rounded to 1/255 of the scale': '保存的数值，精度为色标的 1/255',
  'saved values: each cell the strongest of {rows} × {columns}': '保存的数值：每格为 {rows} × {columns} 中最强的',
  'asking the kernel for the exact values': '正在向内核请求精确数值',
  'the kernel gave no exact values: {why}': '内核未给出精确数值：{why}',
  'without {names}, each row divided by what is left': '不计{names}，每行除以其余之和',
  'places {top}–{bottom} → {left}–{right} of {rows} × {columns}': '位置 {top}–{bottom} → {left}–{right}，共 {rows} × {columns}',
  '{count} links of at least {value}': '{count} 条连线不低于 {value}',
  'the {most} strongest of {count} links of at least {value}': '不低于 {value} 的 {count} 条连线中最强的 {most} 条',
  'sum {sum}': '合计 {sum}',
  'pinned': '已固定',
  'to hide sinks, every token is needed: run the cell again': '隐藏汇聚点需要每个词元的数值：请重新运行单元格',
  'Arrow keys move, Enter pins, Shift+arrows choose and Enter zooms in (or drag), Page Up and Down change the head, Escape goes back.':
    '方向键移动，Enter 固定，Shift+方向键选择后按 Enter 放大（或拖动），Page Up/Down 换头，Escape 返回。'
});

/** A drag shorter than this, in CSS pixels, is a click. */
const DRAG = 5;
const STEPS: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export interface Around {
  leave(): void;
  beside(panel: number, step: number): number;
  /** What is shown may be coloured otherwise now. */
  changed(): void;
}

export class Head {
  readonly node = document.createElement('div');
  private readonly canvas: HTMLCanvasElement;
  private readonly tip: Tip;
  private readonly heading = element('div', 'title');
  private readonly scores = element('div', 'note');
  private readonly note = element('div', 'note');
  private readonly matrix: Matrix;
  private readonly links: Links;
  private readonly tools: { control: HTMLElement; when: () => boolean }[] = [];
  private layers: HTMLSelectElement | null = null;
  private heads: HTMLSelectElement | null = null;
  private slider: HTMLInputElement | null = null;
  private hiding: HTMLButtonElement | null = null;
  private sight: Sight | null = null;
  private trouble = '';
  private asking = false;
  private width = 0;
  private pressed: { x: number; y: number; place: Place } | null = null;
  /** The panel of the head beside the lines that is pressed. */
  private pressedHead = -1;
  private gone = false;

  constructor(private readonly frame: Frame, private readonly data: HeatData, palette: Palette, private readonly state: State, private readonly around: Around) {
    this.matrix = new Matrix(frame, data, palette);
    this.links = new Links(frame, data, palette);
    this.canvas = frame.canvas(frame.figure.alt);
    this.canvas.setAttribute('role', 'application');
    this.canvas.setAttribute('aria-roledescription', frame.words('heat map'));
    const help = element(
      'div',
      'note',
      frame.words('Arrow keys move, Enter pins, Shift+arrows choose and Enter zooms in (or drag), Page Up and Down change the head, Escape goes back.')
    );
    const stage = document.createElement('div');
    this.tip = new Tip(stage, frame.look, this.canvas);
    this.node.append(this.heading, this.scores, stage, this.note, help);
    this.makeTools();
    this.listen();
  }

  dispose(): void {
    this.gone = true;
  }

  /* ---- tools ---- */

  private tool<C extends HTMLElement>(control: C, when: () => boolean = () => true): C {
    this.tools.push({ control, when });
    return control;
  }

  private makeTools(): void {
    const { frame, data, state } = this;
    const { words } = frame;
    const axisMenu = (axis: HeatData['panelRows'], value: number) =>
      frame.menu(axis.title, Array.from({ length: axis.count }, (_none, i) => ({ value: String(i), label: label(axis, i) })), String(value), () => this.menus());
    if (data.panels > 1) {
      this.tool(frame.button(words('← overview'), () => this.around.leave()));
      this.layers = data.panelRows.count > 1 ? this.tool(axisMenu(data.panelRows, 0)) : null;
      this.heads = data.panelColumns.count > 1 ? this.tool(axisMenu(data.panelColumns, 0)) : null;
    }
    if (data.rows.name === 'query' && data.columns.name === 'key') {
      const choices = [{ value: 'map', label: words('heat map') }, { value: 'lines', label: words('lines') }];
      this.tool(frame.menu(words('shown as'), choices, state.lines ? 'lines' : 'map', value => this.change({ lines: value === 'lines', at: null, chosen: null })));
      const range = { low: 1, high: 99, step: 1, value: state.threshold || 10 };
      this.slider = this.tool(frame.slider(words('links from'), range, value => this.thresholdText(value), value => this.change({ threshold: value })), () => state.lines);
    }
    if (data.rests.size > 0 && data.rests.size < data.columns.source) {
      this.hiding = this.tool(frame.toggle(words('hide sinks'), state.hide, on => this.change({ hide: on })));
    }
    this.tool(frame.button(words('zoom out'), () => this.change({ zoom: null, chosen: null })), () => state.zoom !== null);
  }

  private thresholdText(value: number): string {
    return this.sight ? brief(value * thresholdStep(this.sight)) : '';
  }

  private menus(): void {
    const row = Number(this.layers?.value ?? 0);
    const column = Number(this.heads?.value ?? 0);
    this.open(row * this.data.panelColumns.count + column);
  }

  private change(part: Partial<State>): void {
    Object.assign(this.state, part);
    this.around.changed();
    this.refresh();
    this.say();
  }

  shown(yes: boolean, focus: boolean): void {
    for (const { control, when } of this.tools) {
      show(control, yes && when());
    }
    if (yes && focus) {
      this.canvas.focus();
    }
  }

  /* ---- what is seen ---- */

  /** Shows a panel: what is here of it at once, the exact numbers when the kernel has sent them. */
  open(panel: number, width = this.width): void {
    this.width = width;
    this.state.open = this.state.panel = panel;
    this.trouble = '';
    const exact = this.data.exact(panel);
    this.asking = exact !== null;
    exact?.then(
      () => this.arrived(panel, ''),
      error => this.arrived(panel, error instanceof Error ? error.message : String(error))
    );
    this.refresh();
    this.say();
  }

  private arrived(panel: number, trouble: string): void {
    if (this.gone || this.state.open !== panel) {
      return;
    }
    this.asking = false;
    this.trouble = trouble;
    this.refresh();
    if (this.state.at) {
      this.say();
    }
  }

  draw(width: number): void {
    this.width = width;
    this.refresh();
  }

  private refresh(): void {
    if (this.width === 0 || this.state.open < 0) {
      return;
    }
    const { state, data } = this;
    const panel = data.best(state.open);
    const sight = (this.sight = makeSight(data, panel, state.hide, coloursOf(state, data.rows.source * data.columns.source), state.zoom));
    if (state.lines) {
      this.links.arrange(this.width, sight, this.threshold(sight), state.open, state.hide);
    } else {
      this.matrix.arrange(this.width, sight);
    }
    this.settleTools(panel);
    this.write();
    this.paint();
  }

  private threshold(sight: Sight): number {
    const step = thresholdStep(sight);
    return step * (this.state.threshold || usualThreshold(sight));
  }

  private settleTools(panel: Panel): void {
    const sight = this.sight as Sight;
    if (this.layers) {
      this.layers.value = String(Math.floor(this.state.open / this.data.panelColumns.count));
    }
    if (this.heads) {
      this.heads.value = String(this.state.open % this.data.panelColumns.count);
    }
    if (this.slider && this.state.lines) {
      const value = Math.round(this.threshold(sight) / thresholdStep(sight));
      this.slider.value = String(value);
      this.slider.setAttribute('aria-valuetext', this.thresholdText(value));
      (this.slider.nextElementSibling as HTMLElement).textContent = this.thresholdText(value);
    }
    if (this.hiding) {
      this.hiding.disabled = !canHide(this.data, panel);
      this.hiding.title = this.hiding.disabled ? this.frame.words('to hide sinks, every token is needed: run the cell again') : '';
    }
    this.shown(true, false);
  }

  /** The lines above and below: which panel, where its numbers come from, what is left out. */
  private write(): void {
    const { words } = this.frame;
    const { data, state } = this;
    const sight = this.sight as Sight;
    this.heading.textContent = data.panelName(state.open);
    this.scores.textContent = tellScores(data, words, state.open);
    const notes = [this.trouble ? words('the kernel gave no exact values: {why}', { why: this.trouble }) : '', this.asking ? words('asking the kernel for the exact values') : this.origin(sight.panel)];
    if (sight.hidden.size > 0) {
      const names = [...sight.hidden].slice(0, 3).map(column => columnName(data, sight, column));
      notes.push(words('without {names}, each row divided by what is left', { names: names.join(', ') + (sight.hidden.size > 3 ? ', …' : '') }));
    }
    if (state.zoom) {
      const { top, bottom, left, right } = state.zoom;
      notes.push(words('places {top}–{bottom} → {left}–{right} of {rows} × {columns}', { top, bottom: bottom - 1, left, right: right - 1, rows: data.rows.source, columns: data.columns.source }));
    }
    if (state.lines) {
      const value = brief(this.threshold(sight));
      const count = this.links.count;
      notes.push(count > MOST_LINKS ? words('the {most} strongest of {count} links of at least {value}', { most: MOST_LINKS, count, value }) : words('{count} links of at least {value}', { count, value }));
    }
    this.note.textContent = notes.filter(Boolean).join(' · ');
  }

  private origin(panel: Panel): string {
    const { words } = this.frame;
    return panel.origin === 'exact'
      ? words('exact values')
      : panel.origin === 'rounded'
        ? words('saved values, rounded to 1/255 of the scale')
        : words('saved values: each cell the strongest of {rows} × {columns}', { rows: panel.rowBlock, columns: panel.columnBlock });
  }

  /* ---- places and cells: what is chosen are places before pooling, what is drawn are cells ---- */

  private cell(place: Place): Place {
    const { rowBlock, columnBlock } = (this.sight as Sight).panel;
    return { row: place.row < 0 ? -1 : Math.floor(place.row / rowBlock), column: place.column < 0 ? -1 : Math.floor(place.column / columnBlock) };
  }

  private place(cell: Place): Place {
    const { rowBlock, columnBlock } = (this.sight as Sight).panel;
    return { row: cell.row < 0 ? -1 : cell.row * rowBlock, column: cell.column < 0 ? -1 : cell.column * columnBlock };
  }

  private paint(): void {
    const { state } = this;
    const at = state.at && this.cell(state.at);
    const pinned = this.cell({ row: state.pinnedRow, column: state.pinnedColumn });
    if (state.lines) {
      this.links.paint(this.canvas, this.lineMark(at, pinned), state.chosen && this.cells(state.chosen));
      return;
    }
    const chosen = state.chosen && this.cells(state.chosen);
    const whole = at && at.row >= 0 && at.column >= 0 ? at : null;
    this.matrix.paint(this.canvas, { at: whole, pinnedRow: pinned.row, pinnedColumn: pinned.column, chosen });
  }

  /** In the lines view one token is marked: the pinned one, else that under the cursor. */
  private lineMark(at: Place | null, pinned: Place): Place | null {
    if (pinned.row >= 0 || pinned.column >= 0) {
      return pinned.row >= 0 ? { row: pinned.row, column: -1 } : { row: -1, column: pinned.column };
    }
    return at && (at.row < 0 || at.column < 0) ? at : null;
  }

  private cells(range: Range): Range {
    const begin = this.cell({ row: range.top, column: range.left });
    const end = this.cell({ row: range.bottom - 1, column: range.right - 1 });
    return { top: begin.row, left: begin.column, bottom: end.row + 1, right: end.column + 1 };
  }

  /* ---- what is said ---- */

  private say(): void {
    const { state } = this;
    const at = state.at && this.sight && this.cell(state.at);
    const heads = at && state.lines ? this.links.tellHeads() : '';
    this.frame.say(at ? this.tell(at) + (heads && ` · ${heads}`) : this.data.panelName(state.open));
    at ? this.tip.show(this.tell(at), (state.lines ? this.links : this.matrix).spotOf(at)) : this.tip.show('');
  }

  private tell(at: Place): string {
    const sight = this.sight as Sight;
    const { words } = this.frame;
    if (this.state.lines) {
      return this.links.tell(at);
    }
    if (at.row >= 0 && at.column >= 0) {
      const pinned = this.state.pinnedRow >= 0 || this.state.pinnedColumn >= 0 ? this.tellPinned(at) : '';
      return tellCell(this.data, words, sight, at.row, at.column) + pinned;
    }
    return at.row >= 0 ? this.tellLine(sight, at.row, true) : this.tellLine(sight, at.column, false);
  }

  /** The value of the pinned row in this column, or of the pinned column in this row. */
  private tellPinned(at: Place): string {
    const pinned = this.cell({ row: this.state.pinnedRow, column: this.state.pinnedColumn });
    const row = pinned.row >= 0 ? pinned.row : at.row;
    const column = pinned.column >= 0 ? pinned.column : at.column;
    const same = row === at.row && column === at.column;
    return ` · ${this.frame.words('pinned')}${same ? '' : ` ${tellCell(this.data, this.frame.words, this.sight as Sight, row, column)}`}`;
  }

  /** A whole row or column: its strongest places, and what a row sums to. */
  private tellLine(sight: Sight, index: number, isRow: boolean): string {
    const { panel, values } = sight;
    const count = isRow ? panel.columns : panel.rows;
    const value = (i: number) => values[isRow ? index * panel.columns + i : i * panel.columns + index];
    const order = Array.from({ length: count }, (_none, i) => i).filter(i => Number.isFinite(value(i)));
    const sum = order.reduce((total, i) => total + value(i), 0);
    order.sort((a, b) => Math.abs(value(b)) - Math.abs(value(a)));
    const told = order.slice(0, 4).map(i => {
      const name = isRow ? columnName(this.data, sight, i) : rowName(this.data, sight, i);
      return `${name} ${tellValue(this.data, this.frame.words, sight, isRow ? index : i, isRow ? i : index)}`;
    });
    const total = panel.origin === 'pooled' ? '' : ` · ${this.frame.words('sum {sum}', { sum: number(sum, false) })}`;
    return isRow ? `${rowName(this.data, sight, index)} → ${told.join(', ')}${total}` : `${told.join(', ')} → ${columnName(this.data, sight, index)}${total}`;
  }

  /* ---- mouse ---- */

  private under(event: MouseEvent): Place | null {
    const at = this.state.lines ? this.links.at(event.offsetX, event.offsetY) : this.matrix.at(event.offsetX, event.offsetY);
    return at && this.place(at);
  }

  private listen(): void {
    this.canvas.addEventListener('mousemove', event => this.moved(event));
    this.canvas.addEventListener('mouseleave', () => {
      this.pressed = null;
      this.pressedHead = -1;
      this.state.at = null;
      this.state.chosen = null;
      this.frame.say('');
      this.tip.show('');
      this.paint();
    });
    this.canvas.addEventListener('mousedown', event => {
      const head = this.headUnder(event);
      const place = head ? null : this.under(event);
      this.pressed = place && event.button === 0 ? { x: event.offsetX, y: event.offsetY, place } : null;
      this.pressedHead = head && event.button === 0 ? head.panel : -1;
    });
    this.canvas.addEventListener('mouseup', event => this.released(event));
    this.canvas.addEventListener('keydown', event => {
      if (this.key(event)) {
        this.tip.reveal();
        event.preventDefault();
        event.stopPropagation();
      }
    });
  }

  private moved(event: MouseEvent): void {
    const head = this.headUnder(event);
    if (head && !this.pressed) {
      this.frame.say(head.said);
      this.tip.show(head.said, { x: event.offsetX, y: event.offsetY - 4, below: event.offsetY + 12 });
      return;
    }
    const place = this.under(event);
    const begin = this.pressed;
    if (begin && place && Math.hypot(event.offsetX - begin.x, event.offsetY - begin.y) >= DRAG) {
      this.state.chosen = this.between(begin.place, place);
    }
    this.state.at = place;
    this.paint();
    this.say();
  }

  /** Of the heads that are shown beside a marked token. */
  private headUnder(event: MouseEvent): { panel: number; said: string } | null {
    return this.state.lines ? this.links.headAt(event.offsetX, event.offsetY) : null;
  }

  private released(event: MouseEvent): void {
    const { chosen } = this.state;
    const place = this.pressed?.place;
    const head = this.headUnder(event);
    const opens = head !== null && head.panel === this.pressedHead;
    this.pressed = null;
    this.pressedHead = -1;
    if (chosen) {
      this.zoom(chosen);
    } else if (opens) {
      this.open(head.panel);
    } else if (place) {
      const onCell = place.row >= 0 && place.column >= 0;
      this.pin(place, !onCell ? place.row < 0 : event.shiftKey);
    }
  }

  /** All cells between two places; a side that is only rows or columns takes the other whole, or in a square text the same. */
  private between(a: Place, b: Place): Range {
    const { rowBlock, columnBlock } = (this.sight as Sight).panel;
    const { rows, columns } = this.data;
    const span = (one: number, other: number, block: number, most: number) => [Math.min(one, other), Math.min(most, Math.max(one, other) + block)];
    const square = rows.source === columns.source;
    const [rowA, rowB] = a.row >= 0 && b.row >= 0 ? [a.row, b.row] : square ? [a.column, b.column] : [0, rows.source - 1];
    const [columnA, columnB] = a.column >= 0 && b.column >= 0 ? [a.column, b.column] : square ? [a.row, b.row] : [0, columns.source - 1];
    const [top, bottom] = span(Math.max(0, rowA), Math.max(0, rowB), rowBlock, rows.source);
    const [left, right] = span(Math.max(0, columnA), Math.max(0, columnB), columnBlock, columns.source);
    return { top, bottom, left, right };
  }

  private zoom(range: Range): void {
    this.change({ zoom: range, chosen: null, at: null });
  }

  private pin(place: Place, column: boolean): void {
    const { state } = this;
    if (column) {
      state.pinnedColumn = state.pinnedColumn === place.column ? -1 : place.column;
    } else {
      state.pinnedRow = state.pinnedRow === place.row ? -1 : place.row;
    }
    if (state.lines) {
      state[column ? 'pinnedRow' : 'pinnedColumn'] = -1;
    }
    this.paint();
    this.say();
  }

  /* ---- keys ---- */

  private key(event: KeyboardEvent): boolean {
    const step = STEPS[event.key];
    const { state } = this;
    if (step) {
      this.step(step, event.shiftKey);
    } else if (event.key === 'Enter') {
      this.enter(event.shiftKey);
    } else if (event.key === 'Escape') {
      return this.back();
    } else if ((event.key === 'PageDown' || event.key === 'PageUp') && this.data.panels > 1) {
      this.open(this.around.beside(state.open, event.key === 'PageDown' ? 1 : -1));
    } else {
      return false;
    }
    return true;
  }

  private enter(column: boolean): void {
    const { state } = this;
    if (state.chosen) {
      this.zoom(state.chosen);
    } else if (state.at) {
      this.pin(state.at, state.at.row < 0 || (column && state.at.column >= 0));
    }
  }

  private step([down, right]: readonly [number, number], choosing: boolean): void {
    const { state } = this;
    const { range } = this.sight as Sight;
    const from = state.at ? this.cell(state.at) : null;
    if (choosing && from && state.at && !state.chosen) {
      this.anchor = state.at;
    }
    let to: Place = { row: range.top, column: state.lines ? -1 : range.left };
    if (from) {
      to = state.lines ? this.stepLines(from, down, right) : this.stepCells(from, down, right, choosing);
    }
    state.at = this.place(to);
    state.chosen = choosing && from ? this.between(this.anchor, state.at) : null;
    this.paint();
    this.say();
  }

  /** From cell to cell; before the first column or row stands the label of the whole row or column. */
  private stepCells(from: Place, down: number, right: number, choosing: boolean): Place {
    const { range } = this.sight as Sight;
    const move = (at: number, step: number, begin: number, end: number) => {
      const next = at < 0 ? begin - 1 + Math.max(0, step) : Math.min(end - 1, at + step);
      return next >= begin ? next : choosing ? begin : -1;
    };
    const to = { row: move(from.row, down, range.top, range.bottom), column: move(from.column, right, range.left, range.right) };
    return to.row < 0 && to.column < 0 ? from : to;
  }

  private anchor: Place = { row: 0, column: 0 };

  /** Up and down the tokens of one side; left and right to the other side. */
  private stepLines(from: Place, down: number, right: number): Place {
    const { range } = this.sight as Sight;
    const index = (from.row >= 0 && (from.column < 0 || right === 0) ? from.row : from.column) + down;
    const onRows = right !== 0 ? right < 0 : from.row >= 0;
    return onRows
      ? { row: Math.max(range.top, Math.min(range.bottom - 1, index)), column: -1 }
      : { row: -1, column: Math.max(range.left, Math.min(range.right - 1, index)) };
  }

  /** One step back: what was being chosen, what is pinned, the zoom, the panel. */
  private back(): boolean {
    const { state } = this;
    if (state.chosen) {
      this.change({ chosen: null });
    } else if (state.pinnedRow >= 0 || state.pinnedColumn >= 0) {
      this.change({ pinnedRow: -1, pinnedColumn: -1 });
    } else if (state.zoom) {
      this.change({ zoom: null });
    } else if (this.data.panels > 1) {
      this.around.leave();
    } else {
      return false;
    }
    return true;
  }
}
