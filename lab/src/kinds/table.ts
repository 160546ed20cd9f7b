/** A table: sorted by any column, searched, and only the rows in sight are there, so that thousands stay quick. */
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Reader } from '../reader.js';
import type { Frame, View } from '../view.js';
import { addChinese, type Words } from '../words.js';
import { visible } from './text_pieces.js';
import { Walk, within } from './walk.js';

addChinese({
  'search rows': '搜索行',
  '{some} of {all} rows': '{some} 行,共 {all} 行',
  '{all} rows': '共 {all} 行',
  'the first {some} of {all}; %save writes all': '前 {some} 个,共 {all} 个;%save 写出全部',
  'sort by {head}': '按{head}排序',
  'sorted by {head}, {way}': '按{head}排序,{way}',
  ascending: '升序',
  descending: '降序',
  'as it came': '原顺序',
  'row {at} of {all}': '第 {at} 行,共 {all} 行',
  'no row has "{text}"': '没有含“{text}”的行',
  rows: '各行',
  'Sort by the heads; a third time: as it came. Keys in the rows: up and down, Page Up and Down, Home and End.': '点表头排序,第三次恢复原顺序。行内键盘:上下键、翻页键、Home、End。'
});

interface Column {
  readonly head: string;
  readonly texts: string[];
  readonly values: Float32Array | null;
}

interface State {
  sorted: number;
  /** 1 ascending, -1 descending, 0 as it came. */
  way: number;
  search: string;
  at: number;
  top: number;
}

const ROW = 24;
const SHOWN = 18;
const MORE = 8;
const WIDEST = 340;
const states = new WeakMap<Figure, State>();

function readColumn(of: Reader, rows: number): Column {
  const texts = of.texts('texts').map(visible);
  const values = of.has('values') ? of.numbers('values').values : null;
  if ((rows >= 0 && texts.length !== rows) || (values && values.length !== texts.length)) {
    throw new Error('the columns of the table have different lengths');
  }
  return { head: visible(of.text('head')), texts, values };
}

class Table implements View {
  private readonly columns: Column[] = [];
  private readonly rows: number;
  private readonly state: State;
  private readonly say: Words;
  private readonly walk: Walk;
  private readonly box = element('div', 'rows');
  private readonly table = element('table', 'table');
  private readonly body = element('tbody', 'body');
  private readonly count = element('div', 'hint');
  private readonly heads: HTMLTableCellElement[] = [];
  private readonly folded: string[];
  private order: number[] = [];
  private from = -1;
  private readonly collator: Intl.Collator;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    let rows = -1;
    for (const of of reader.objects('columns')) {
      this.columns.push(readColumn(of, rows));
      rows = this.columns[0].texts.length;
    }
    if (rows < 0) {
      throw new Error('the table has no columns');
    }
    this.rows = rows;
    this.say = frame.words;
    this.collator = new Intl.Collator(frame.words.language, { numeric: true });
    this.folded = Array.from({ length: rows }, (_none, r) => this.columns.map(({ texts }) => texts[r]).join('\n').toLocaleLowerCase());
    this.state = states.get(frame.figure) ?? { sorted: -1, way: 0, search: '', at: -1, top: 0 };
    states.set(frame.figure, this.state);
    const search = frame.search(this.say('search rows'), text => {
      this.state.search = text;
      this.state.at = -1;
      this.arrange();
    });
    search.value = this.state.search;
    this.walk = new Walk(frame, this.box, 'group', `${this.say('rows')}: ${visible(frame.figure.title)}`);
    this.box.style.borderColor = frame.look.line;
    this.box.style.setProperty('--cutaway-line', frame.look.line);
    this.box.style.setProperty('--cutaway-paper', frame.look.paper);
    this.box.style.setProperty('--cutaway-band', frame.look.shade('#f5f7f9'));
    this.box.style.setProperty('--cutaway-under', frame.look.shade('#e0eef7'));
    this.addTable();
    const all = reader.number('count', rows);
    const cut = all > rows ? [element('p', 'hint', this.say('the first {some} of {all}; %save writes all', { some: rows, all }))] : [];
    frame.host.append(this.count, this.box, ...cut, element('p', 'hint', this.say('Sort by the heads; a third time: as it came. Keys in the rows: up and down, Page Up and Down, Home and End.')));
    this.listen();
  }

  draw(): void {
    this.measure();
    this.arrange();
    this.box.scrollTop = this.state.top;
    this.fill();
  }

  private addTable(): void {
    const { table, frame } = this;
    const head = element('thead', 'head');
    const row = element('tr', 'head-row');
    this.columns.forEach((column, c) => {
      const cell = element('th', column.values ? 'number' : 'words');
      cell.scope = 'col';
      const button = element('button', 'sort', column.head);
      button.type = 'button';
      const mark = element('span', 'sort-mark');
      mark.setAttribute('aria-hidden', 'true');
      button.append(mark);
      button.title = this.say('sort by {head}', { head: column.head });
      button.addEventListener('click', () => this.sort(c));
      button.dataset.lmSuppressShortcuts = 'true';
      cell.append(button);
      row.append(cell);
      this.heads.push(cell);
    });
    head.append(row);
    table.append(element('caption', 'unseen', visible(frame.figure.title)), element('colgroup', 'widths'), head, this.body);
    table.setAttribute('aria-rowcount', String(this.rows + 1));
    row.setAttribute('aria-rowindex', '1');
    this.box.append(table);
  }

  /** Columns as wide as their longest text, so that they stay when other rows come into sight. */
  private measure(): void {
    const context = document.createElement('canvas').getContext('2d');
    if (!context) {
      throw new Error('this browser measures no text');
    }
    context.font = `13px ${this.frame.look.font}`;
    let all = 0;
    const widths = this.columns.map(({ head, texts }) => {
      const longest = [...texts].sort((a, b) => b.length - a.length).slice(0, 12);
      const wide = Math.min(WIDEST, Math.ceil(Math.max(context.measureText(head).width * 1.12 + 22, ...longest.map(text => context.measureText(text).width))) + 22);
      all += wide;
      const column = element('col', 'width');
      column.style.width = `${wide}px`;
      return column;
    });
    this.table.querySelector('colgroup')?.replaceChildren(...widths);
    this.table.style.width = `${all}px`;
    this.table.style.fontFamily = this.frame.look.font;
  }

  /* ---- order ---- */

  private sort(c: number): void {
    const { state, say } = this;
    const first = this.columns[c].values ? -1 : 1;
    state.way = state.sorted !== c ? first : state.way === first ? -first : 0;
    state.sorted = state.way === 0 ? -1 : c;
    state.at = -1;
    this.box.scrollTop = 0;
    this.arrange();
    const way = say(state.way > 0 ? 'ascending' : state.way < 0 ? 'descending' : 'as it came');
    this.frame.say(say('sorted by {head}, {way}', { head: this.columns[c].head, way }));
  }

  /** What is no number stands last, whichever way. */
  private compare(c: number, way: number): (a: number, b: number) => number {
    const { values, texts } = this.columns[c];
    if (!values) {
      return (a, b) => way * this.collator.compare(texts[a], texts[b]) || a - b;
    }
    return (a, b) => {
      const [x, y] = [values[a], values[b]];
      return Number.isNaN(x) || Number.isNaN(y) ? Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || a - b : way * (x - y) || a - b;
    };
  }

  private arrange(): void {
    const { state, say } = this;
    const wanted = state.search.trim().toLocaleLowerCase();
    this.order = Array.from({ length: this.rows }, (_none, r) => r).filter(r => this.folded[r].includes(wanted));
    if (state.sorted >= 0) {
      this.order.sort(this.compare(state.sorted, state.way));
    }
    this.heads.forEach((cell, c) => {
      const way = c === state.sorted ? state.way : 0;
      cell.setAttribute('aria-sort', way > 0 ? 'ascending' : way < 0 ? 'descending' : 'none');
      const mark = cell.querySelector('.cutaway-sort-mark');
      if (mark) {
        mark.textContent = way > 0 ? ' ▲' : way < 0 ? ' ▼' : ' ↕';
      }
    });
    this.count.textContent = !this.order.length
      ? say('no row has "{text}"', { text: visible(state.search) })
      : wanted
        ? say('{some} of {all} rows', { some: this.order.length, all: this.rows })
        : say('{all} rows', { all: this.rows });
    this.box.style.maxHeight = `${ROW * (SHOWN + 1) + 18}px`;
    this.from = -1;
    this.fill();
  }

  /* ---- rows ---- */

  private space(rows: number): HTMLTableRowElement {
    const row = element('tr', 'space');
    row.setAttribute('aria-hidden', 'true');
    row.style.height = `${rows * ROW}px`;
    return row;
  }

  private row(i: number): HTMLTableRowElement {
    const r = this.order[i];
    const row = element('tr', i % 2 ? 'table-row cutaway-odd' : 'table-row');
    row.dataset.at = String(i);
    row.setAttribute('aria-rowindex', String(i + 2));
    this.columns.forEach(({ texts, values }, c) => {
      const cell = element(c === 0 ? 'th' : 'td', values ? 'number' : 'words');
      if (c === 0) {
        cell.setAttribute('scope', 'row');
      }
      cell.append(element('span', 'cell', texts[r]));
      cell.title = texts[r];
      row.append(cell);
    });
    return row;
  }

  /** The rows in sight and a few more; the others are room alone. */
  private fill(): void {
    const first = Math.max(0, Math.floor(this.box.scrollTop / ROW) - MORE);
    const from = Math.min(first - (first % MORE), Math.max(0, this.order.length - SHOWN));
    this.state.top = this.box.scrollTop;
    if (from === this.from) {
      return;
    }
    this.from = from;
    const to = Math.min(this.order.length, from + SHOWN + 3 * MORE);
    this.body.replaceChildren(this.space(from), ...Array.from({ length: to - from }, (_none, i) => this.row(from + i)), this.space(this.order.length - to));
    if (this.state.at >= 0) {
      this.mark();
    }
  }

  private sentence(i: number): string {
    const r = this.order[i];
    return [...this.columns.map(({ head, texts }) => `${head}: ${texts[r]}`.replace(/^: /, '')), this.say('row {at} of {all}', { at: i + 1, all: this.order.length })].join(' · ');
  }

  private mark(): void {
    const node = this.body.querySelector<HTMLElement>(`[data-at="${this.state.at}"]`);
    if (node) {
      this.walk.go(node, this.sentence(this.state.at));
      node.removeAttribute('aria-selected');
      node.removeAttribute('aria-label');
    }
  }

  private go(i: number): void {
    this.state.at = i;
    if (i < 0) {
      this.walk.go(null);
    } else {
      this.mark();
    }
  }

  private show(i: number): void {
    const at = within(i, this.order.length);
    if (at < 0) {
      return;
    }
    const top = at * ROW;
    const sight = this.box.clientHeight - 2 * ROW;
    if (top < this.box.scrollTop) {
      this.box.scrollTop = top;
    } else if (top > this.box.scrollTop + sight) {
      this.box.scrollTop = top - sight;
    }
    this.state.at = at;
    this.fill();
    this.mark();
  }

  private listen(): void {
    const { box, state, walk } = this;
    box.addEventListener('scroll', () => this.fill());
    const under = (event: Event) => {
      const at = walk.under(event, 'at');
      if (at) {
        this.go(Number(at));
      }
    };
    walk.hover(under);
    box.addEventListener('click', under);
    box.addEventListener('mouseleave', () => document.activeElement !== box && this.go(-1));
    walk.keys({
      ArrowDown: () => this.show(state.at + 1),
      ArrowUp: () => this.show(state.at - 1),
      PageDown: () => this.show(state.at + SHOWN - 1),
      PageUp: () => this.show(state.at - SHOWN + 1),
      Home: () => this.show(0),
      End: () => this.show(this.order.length - 1),
      Escape: () => this.go(-1)
    });
  }
}

export function table(frame: Frame): View {
  return new Table(frame);
}
