/** Steps and their alternatives: a card a step with the most probable tokens as bars; one step opened shows all that there are. */
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Reader } from '../reader.js';
import type { Frame, View } from '../view.js';
import { addChinese, type Words } from '../words.js';
import { told, visible } from './text_pieces.js';
import { Walk, within } from './walk.js';

addChinese({
  alternatives: '候选数',
  all: '全部',
  steps: '步',
  'least sure': '最没把握',
  'surest': '最有把握',
  chosen: '选中',
  'not among these': '不在其中',
  'rank {rank}': '第 {rank} 位',
  'together {share}': '累计 {share}',
  'step {at}': '第 {at} 步',
  '{low} to {high}': '{low} 至 {high}',
  'the first {some} of {all}; %save writes all': '前 {some} 个,共 {all} 个;%save 写出全部',
  close: '关闭',
  rank: '名次',
  '{axis} {at}: all {count} alternatives': '{axis} {at}:全部 {count} 个候选',
  'Keys: left and right from step to step, up and down through the alternatives, Enter shows all of a step, Escape closes it; n and p to the least sure step and back.':
    '键盘:左右键换步,上下键看候选,回车显示该步全部候选,Esc 关闭;n、p 依次到最没把握的步和返回。'
});

interface State {
  shown: number;
  page: number;
  step: number;
  row: number;
  open: number;
}

const PAGE = 120;
const FEW = 5;
const states = new WeakMap<Figure, State>();

export function percent(value: number): string {
  return Number.isNaN(value) ? '–' : value >= 0.0995 ? `${(100 * value).toFixed(0)} %` : value >= 0.0005 ? `${(100 * value).toFixed(1)} %` : value > 0 ? '< 0.1 %' : '0 %';
}

class Choices implements View {
  private readonly steps: number;
  private readonly k: number;
  private readonly heads: string[];
  private readonly names: string[];
  private readonly values: Float32Array;
  private readonly chosen: Float32Array | null;
  private readonly probability: Float32Array | null;
  private readonly share: boolean;
  private readonly measure: string;
  private readonly axis: string;
  private readonly low: number;
  private readonly high: number;
  private readonly state: State;
  private readonly say: Words;
  private readonly walk: Walk;
  private readonly box = element('div', 'choices');
  private readonly opened = element('div', 'opened');
  private readonly ranks: number[];
  private pager: HTMLSelectElement | null = null;
  private rows = new Map<string, HTMLElement>();

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    const { shape, values } = reader.numbers('values');
    [this.steps, this.k] = shape;
    this.values = values;
    this.names = reader.texts('tokens');
    this.heads = reader.has('steps') ? reader.texts('steps') : Array.from({ length: this.steps }, (_none, i) => String(i + 1));
    this.chosen = reader.has('chosen') ? reader.numbers('chosen').values : null;
    this.probability = reader.has('probability') ? reader.numbers('probability').values : null;
    const fits = (list: Float32Array | null) => !list || list.length === this.steps;
    if (shape.length !== 2 || !values.length || this.names.length !== values.length || this.heads.length !== this.steps || !fits(this.chosen) || !fits(this.probability)) {
      throw new Error(`${this.names.length} names and ${this.heads.length} steps for alternatives of ${shape.join(' × ')}`);
    }
    this.share = reader.flag('share');
    this.measure = reader.text('measure', '');
    this.axis = reader.text('axis', 'step');
    const finite = Array.from(values).filter(Number.isFinite);
    this.low = this.share ? 0 : finite.reduce((low, value) => Math.min(low, value), Infinity);
    this.high = this.share ? 1 : finite.reduce((high, value) => Math.max(high, value), -Infinity);
    this.say = frame.words;
    this.state = states.get(frame.figure) ?? { shown: Math.min(this.k, this.steps > 18 ? FEW : 10), page: 0, step: 0, row: -1, open: -1 };
    states.set(frame.figure, this.state);
    this.ranks = Array.from({ length: this.steps }, (_none, i) => i).sort((a, b) => this.sureness(a) - this.sureness(b) || a - b);
    this.walk = new Walk(frame, this.box, 'listbox', `${this.say('alternatives')}: ${visible(frame.figure.title)}`);
    this.opened.style.borderColor = frame.look.line;
    this.addTools(reader.number('count', this.steps));
    this.listen();
    this.build();
  }

  draw(): void {
    /* Cards flow by themselves. */
  }

  private addTools(all: number): void {
    const { frame, say, state } = this;
    const counts = [...new Set([1, 3, FEW, 10, 20].filter(n => n < this.k)), this.k];
    if (counts.length > 1) {
      frame.menu(say('alternatives'), counts.map(n => ({ value: String(n), label: n === this.k ? `${say('all')} (${n})` : String(n) })), String(state.shown), value => {
        state.shown = +value;
        this.build();
      });
    }
    if (this.steps > PAGE) {
      const pages = Array.from({ length: Math.ceil(this.steps / PAGE) }, (_none, i) => i);
      const range = (i: number) => say('{low} to {high}', { low: i * PAGE + 1, high: Math.min(this.steps, (i + 1) * PAGE) });
      this.pager = frame.menu(say('steps'), pages.map(i => ({ value: String(i), label: range(i) })), String(state.page), value => {
        state.page = +value;
        state.step = state.page * PAGE;
        state.row = -1;
        this.build();
      });
    }
    if (this.steps > 2) {
      frame.button(say('least sure'), () => this.walkRanks(1));
      frame.button(say('surest'), () => this.walkRanks(-1));
    }
    const cut = all > this.steps ? [element('p', 'hint', say('the first {some} of {all}; %save writes all', { some: this.steps, all }))] : [];
    const keys = 'Keys: left and right from step to step, up and down through the alternatives, Enter shows all of a step, Escape closes it; n and p to the least sure step and back.';
    frame.host.append(this.box, this.opened, ...cut, element('p', 'hint', say(keys)));
  }

  private at(step: number, i: number): number {
    return this.values[step * this.k + i];
  }

  private text(value: number): string {
    return this.share ? percent(value) : told(value);
  }

  private exact(value: number): string {
    return this.share ? `${percent(value)} (${told(value)})` : told(value);
  }

  private chosenAt(step: number): number {
    return this.chosen ? this.chosen[step] : -1;
  }

  /** The value of what was chosen, or of the largest alternative where nobody says. */
  private sureness(step: number): number {
    const at = this.chosenAt(step);
    return this.probability ? this.probability[step] : this.at(step, at >= 0 ? at : 0);
  }

  /* ---- cards ---- */

  private row(step: number, i: number): HTMLElement {
    const { look } = this.frame;
    const value = this.at(step, i);
    const chosen = this.chosenAt(step) === i;
    const row = element('div', chosen ? 'choice cutaway-chosen-one' : 'choice');
    row.dataset.at = `${step},${i}`;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', 'false');
    const bar = element('span', 'bar');
    const part = (value - this.low) / (this.high - this.low || 1);
    bar.style.width = `${100 * Math.min(1, Math.max(0, part || 0))}%`;
    bar.style.background = look.shade(chosen ? '#86cec2' : '#c6e5d1');
    const name = element('span', 'choice-name', visible(this.names[step * this.k + i]));
    const mark = chosen ? '✓ ' : '';
    row.append(bar, name, element('span', 'choice-value', mark + this.text(value)));
    this.rows.set(row.dataset.at, row);
    return row;
  }

  private card(step: number): HTMLElement {
    const card = element('div', 'card');
    card.setAttribute('role', 'group');
    card.setAttribute('aria-label', `${this.axis} ${step + 1}`);
    card.style.borderColor = this.frame.look.line;
    const head = element('div', 'card-head');
    head.append(element('span', 'card-number', this.steps > 1 ? String(step + 1) : ''), element('span', 'card-name', visible(this.heads[step])));
    head.dataset.at = `${step},-1`;
    card.append(head, ...Array.from({ length: Math.min(this.state.shown, this.k) }, (_none, i) => this.row(step, i)));
    if (this.probability && this.chosen && this.chosenAt(step) < 0) {
      card.append(element('div', 'choice-rest', `✓ ${this.say('not among these')}: ${this.text(this.probability[step])}`));
    }
    return card;
  }

  private build(): void {
    const { state } = this;
    this.rows = new Map();
    const first = state.page * PAGE;
    const count = Math.min(PAGE, this.steps - first);
    const long = this.heads.some(head => head.length > 18);
    this.box.classList.toggle('cutaway-wide', long);
    this.box.replaceChildren(...Array.from({ length: count }, (_none, i) => this.card(first + i)));
    if (state.row >= 0) {
      this.go(state.step, Math.min(state.row, state.shown - 1));
    }
    this.open(state.open);
  }

  private sentence(step: number, i: number): string {
    const { say } = this;
    const sum = Array.from({ length: i + 1 }, (_none, k) => this.at(step, k)).reduce((all, value) => all + value, 0);
    const name = visible(this.names[step * this.k + i]);
    const facts = [`${this.axis} ${step + 1}: ${name}`, `${this.measure} ${this.exact(this.at(step, i))}`, say('rank {rank}', { rank: i + 1 })];
    if (this.chosenAt(step) === i) {
      facts.push(say('chosen'));
    }
    if (this.share && i > 0) {
      facts.push(say('together {share}', { share: percent(sum) }));
    }
    return facts.join(' · ');
  }

  private go(step: number, row: number): void {
    const { state } = this;
    state.step = step;
    state.row = row;
    this.walk.go(this.rows.get(`${step},${row}`) ?? null, row < 0 ? '' : this.sentence(step, row));
  }

  /** All alternatives of a step, in a list of their own; -1 closes it. */
  private open(step: number): void {
    const { state, say } = this;
    state.open = step;
    this.opened.replaceChildren();
    this.opened.hidden = step < 0;
    if (step < 0) {
      return;
    }
    const title = element('div', 'opened-title', `${say('{axis} {at}: all {count} alternatives', { axis: this.axis, at: step + 1, count: this.k })} · ${visible(this.heads[step])}`);
    const close = element('button', 'button', say('close'));
    close.type = 'button';
    close.addEventListener('click', () => {
      this.open(-1);
      this.box.focus();
    });
    title.append(' ', close);
    const list = element('ol', 'opened-list');
    for (let i = 0; i < this.k; i++) {
      const item = element('li', 'opened-item', `${visible(this.names[step * this.k + i])}  ${this.exact(this.at(step, i))}`);
      if (this.chosenAt(step) === i) {
        item.append(` ✓ ${say('chosen')}`);
        item.style.fontWeight = 'bold';
      }
      list.append(item);
    }
    this.opened.append(title, list);
  }

  private show(step: number, row: number): void {
    const page = Math.floor(step / PAGE);
    if (page !== this.state.page) {
      this.state.page = page;
      if (this.pager) {
        this.pager.value = String(page);
      }
      this.build();
    }
    this.go(step, row);
    this.walk.reveal();
    if (this.state.open >= 0) {
      this.open(step);
    }
  }

  private walkRanks(turn: number): void {
    const rank = this.state.row < 0 ? -1 : this.ranks.indexOf(this.state.step);
    const next = this.ranks[rank < 0 ? (turn > 0 ? 0 : this.steps - 1) : (rank + turn + this.steps) % this.steps];
    this.show(next, Math.max(0, Math.min(this.chosenAt(next), this.state.shown - 1)));
  }

  private listen(): void {
    const { box, state, walk } = this;
    const under = (event: Event): [number, number] | null => {
      const at = walk.under(event, 'at').split(',').map(Number);
      return at.length === 2 ? [at[0], at[1]] : null;
    };
    walk.hover(event => {
      const at = under(event);
      if (at && at[1] >= 0) {
        this.go(at[0], at[1]);
      }
    });
    box.addEventListener('mouseleave', () => document.activeElement !== box && this.go(state.step, -1));
    box.addEventListener('click', event => {
      const at = under(event);
      if (at) {
        this.go(at[0], Math.max(0, at[1]));
        this.open(state.open === at[0] && at[1] < 0 ? -1 : at[0]);
      }
    });
    const move = (steps: number, rows: number) => () => {
      const here = state.row < 0;
      this.show(within(state.step + (here ? 0 : steps), this.steps), here ? 0 : within(state.row + rows, Math.min(state.shown, this.k)));
    };
    walk.keys({
      ArrowRight: move(1, 0),
      ArrowLeft: move(-1, 0),
      ArrowDown: move(0, 1),
      ArrowUp: move(0, -1),
      Home: () => this.show(0, 0),
      End: () => this.show(this.steps - 1, 0),
      n: () => this.walkRanks(1),
      p: () => this.walkRanks(-1),
      Enter: () => this.open(state.open === state.step ? -1 : state.step),
      Escape: () => this.open(-1)
    });
  }
}

export function choices(frame: Frame): View {
  return new Choices(frame);
}
