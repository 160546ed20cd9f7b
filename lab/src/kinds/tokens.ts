/** Coloured text: the text as it stands, each token, word or clause on the colour of its value, which is said under the mouse and the keys. */
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { ramp, textOn, type Look } from '../look.js';
import { colourOf } from '../marks.js';
import { Reader } from '../reader.js';
import type { Frame, View } from '../view.js';
import { addChinese, type Words } from '../words.js';
import { Tip } from './heatmap_tip.js';
import { Bytes, clausesOf, joined, told, turnColour, unitsOf, visible, type Unit } from './text_pieces.js';
import { Walk, within } from './walk.js';

addChinese({
  'in units of': '单位',
  token: '词元',
  word: '词',
  clause: '分句',
  line: '行',
  shows: '显示',
  'grey below': '低于此值变灰',
  numbers: '数值',
  'next highest': '下一个最高',
  'next lowest': '下一个最低',
  highest: '最高',
  lowest: '最低',
  '{unit} {at} of {all}': '第 {at} 个{unit},共 {all} 个',
  '{name}, sum': '{name}之和',
  '{name}, mean': '{name}均值',
  'rank {rank} by value': '第 {rank} 高',
  bytes: '字节',
  'no value': '无数值',
  'the first {some} of {all}; %save writes all': '前 {some} 个,共 {all} 个;%save 写出全部',
  'one colour a word, two shades in turn': '一种颜色一个词,两种深浅交替',
  'below 0: dotted line': '负值:下方点线',
  'Keys: arrows from {unit} to {unit} and line to line, Home and End, n and p to the next highest and back; Enter pins what is told, Escape lets go.':
    '键盘:左右键逐个移动,上下键换行,Home、End 到首尾,n、p 依次到下一个最高和返回;回车固定说明,Esc 取消。',
  'Keys: arrows from token to token and line to line, Home and End; Enter pins what is told, Escape lets go.': '键盘:左右键逐个移动,上下键换行,Home、End 到首尾;回车固定说明,Esc 取消。',
  'A clause ends behind 。，；！？; and behind , ; . ! ? before a blank, and where a line does.': '分句在 。，；！？; 之后结束,在空白前的 , ; . ! ? 之后结束,行末也结束。',
  'coloured text': '着色的文本'
});

/** Numbers of every token, with the colours that they have. */
interface Series {
  readonly name: string;
  readonly unit: string;
  readonly adds: string;
  readonly signed: boolean;
  readonly colours: string[];
  readonly low: number;
  readonly high: number;
  readonly values: Float32Array;
}

interface Told {
  readonly name: string;
  readonly texts: string[];
}

interface State {
  unit: string;
  series: number;
  /** Share of the range below which a value is grey. */
  least: number;
  numbers: boolean;
  at: number;
  pinned: boolean;
}

const STEPS = 100;

const states = new WeakMap<Figure, State>();

function readSeries(of: Reader, count: number): Series {
  const values = of.numbers('values').values;
  if (values.length !== count) {
    throw new Error(`${values.length} values for ${count} tokens`);
  }
  return {
    name: of.text('name'),
    unit: of.text('unit', ''),
    adds: of.text('adds', ''),
    signed: of.flag('signed'),
    colours: of.texts('colours'),
    low: of.number('low'),
    high: of.number('high'),
    values
  };
}

function readTexts(of: Reader, count: number): Told {
  const texts = of.texts('texts');
  if (texts.length !== count) {
    throw new Error(`${texts.length} texts for ${count} tokens`);
  }
  return { name: of.text('name'), texts };
}

class Tokens implements View {
  private readonly bytes: Bytes;
  private readonly labels: string[];
  private readonly count: number;
  private readonly span: Float32Array | null;
  private readonly words: Float32Array | null;
  private readonly named: boolean;
  private readonly axis: string;
  private readonly all: number;
  private readonly series: Series[];
  private readonly texts: Told[];
  private readonly state: State;
  private readonly look: Look;
  private readonly say: Words;
  private readonly box = element('div', 'text');
  private readonly legend = element('div', 'scale');
  private readonly details = element('dl', 'facts');
  private readonly tip: Tip;
  private readonly walk: Walk;
  private units: Unit[] = [];
  private values: Float64Array = new Float64Array(0);
  private range = { low: 0, high: 1 };
  private ranks: number[] = [];
  private nodes: HTMLElement[] = [];
  private clauses: number[] | null = null;
  private slider: HTMLInputElement | null = null;

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    this.bytes = new Bytes(reader.text('text', ''));
    this.labels = reader.texts('tokens');
    this.count = this.labels.length;
    this.span = reader.has('span') ? reader.numbers('span').values : null;
    this.words = reader.has('words') ? reader.numbers('words').values : null;
    this.named = reader.flag('named');
    this.axis = reader.text('axis', 'token');
    this.all = reader.number('count', this.count);
    const told = reader.objects('series');
    this.series = told.filter(of => of.has('values')).map(of => readSeries(of, this.count));
    this.texts = told.filter(of => of.has('texts')).map(of => readTexts(of, this.count));
    if ((this.span && this.span.length !== 2 * this.count) || (this.words && this.words.length !== this.count) || !this.series.length || !this.count) {
      throw new Error('spans, words and values of the tokens do not fit');
    }
    this.look = frame.look;
    this.say = frame.words;
    this.state = states.get(frame.figure) ?? { unit: this.axis, series: 0, least: 0, numbers: false, at: -1, pinned: false };
    states.set(frame.figure, this.state);
    this.tip = new Tip(frame.host, this.look);
    this.walk = new Walk(frame, this.box, 'listbox', `${this.say('coloured text')}: ${visible(frame.figure.title)}`);
    this.addTools();
    this.addText();
    this.build();
  }

  draw(): void {
    /* Text flows by itself. */
  }

  dispose(): void {
    this.nodes = [];
  }

  /* ---- tools ---- */

  private addTools(): void {
    const { frame, state, say } = this;
    const units = [this.axis, ...(this.words && this.axis === 'token' ? ['word'] : []), ...(this.span && this.axis !== 'line' ? ['clause'] : [])];
    if (units.length > 1 && !this.named) {
      frame.menu(say('in units of'), units.map(value => ({ value, label: say(value) })), state.unit, value => {
        state.unit = value;
        state.at = -1;
        this.build();
      });
    }
    if (this.series.length > 1 && !this.named) {
      frame.menu(say('shows'), this.series.map((of, i) => ({ value: String(i), label: visible(of.name) })), String(state.series), value => {
        state.series = +value;
        this.build();
      });
    }
    if (this.named) {
      return;
    }
    this.slider = frame.slider(say('grey below'), { low: 0, high: STEPS, step: 1, value: Math.round(state.least * STEPS) }, value => this.threshold(value / STEPS), value => {
      state.least = value / STEPS;
      this.colour();
    });
    frame.toggle(say('numbers'), state.numbers, on => {
      state.numbers = on;
      this.box.classList.toggle('cutaway-numbered', on);
    });
    frame.button(say('next highest'), () => this.walkRanks(1));
    frame.button(say('next lowest'), () => this.walkRanks(-1));
  }

  /** What the slider's share is on the scale; of signed values their magnitude. */
  private threshold(share: number): string {
    const { low, high } = this.range;
    const signed = this.series[this.state.series].signed;
    return share === 0 ? '–' : told(+((signed ? 0 : low) + share * (high - (signed ? 0 : low))).toPrecision(3));
  }

  private addText(): void {
    const { box, frame, say, state } = this;
    box.classList.toggle('cutaway-numbered', state.numbers);
    this.walk.hover(event => this.point(event));
    box.addEventListener('mouseleave', () => this.leave());
    box.addEventListener('click', event => {
      const at = this.unitUnder(event);
      if (at >= 0) {
        this.go(at);
        this.pin(true);
      }
    });
    this.listen();
    box.addEventListener('blur', () => this.tip.show(''));
    this.details.style.borderColor = this.look.line;
    const cut = this.all > this.count ? [element('p', 'hint', say('the first {some} of {all}; %save writes all', { some: this.count, all: this.all }))] : [];
    const unit = say(state.unit);
    const keys = this.named ? say('Keys: arrows from token to token and line to line, Home and End; Enter pins what is told, Escape lets go.') : say('Keys: arrows from {unit} to {unit} and line to line, Home and End, n and p to the next highest and back; Enter pins what is told, Escape lets go.', { unit });
    frame.host.append(this.legend, box, this.details, ...cut, element('p', 'hint', keys));
    if (this.span && !this.named) {
      frame.host.append(element('p', 'hint', say('A clause ends behind 。，；！？; and behind , ; . ! ? before a blank, and where a line does.')));
    }
  }

  /* ---- units ---- */

  private groups(): ArrayLike<number> {
    const { unit } = this.state;
    if (unit === 'word' && this.axis === 'token' && this.words) {
      return this.words;
    }
    if (unit === 'clause' && this.span) {
      this.clauses ??= clausesOf(this.bytes, this.span, this.count);
      return this.clauses;
    }
    return Uint32Array.from({ length: this.count }, (_none, i) => i);
  }

  private isStanding(token: number): boolean {
    return this.span !== null && this.bytes.has(this.span[2 * token], this.span[2 * token + 1]);
  }

  /** Whether two neighbours stand for the same characters: pieces of one. */
  private isShared(i: number, k: number): boolean {
    const { span } = this;
    return i >= 0 && k < this.count && span !== null && this.isStanding(i) && this.isStanding(k) && span[2 * k] < span[2 * i + 1] && span[2 * i] < span[2 * k + 1];
  }

  /** Bytes of the text that a unit stands for; null: none, or not it alone. */
  private placeOf(unit: Unit): { begin: number; end: number } | null {
    if (this.isShared(unit.first - 1, unit.first) || this.isShared(unit.last, unit.last + 1)) {
      return null;
    }
    let begin = Infinity;
    let end = -1;
    for (let i = unit.first; i <= unit.last && this.span; i++) {
      if (this.isStanding(i)) {
        begin = Math.min(begin, this.span[2 * i]);
        end = Math.max(end, this.span[2 * i + 1]);
      }
    }
    return begin < end ? { begin, end } : null;
  }

  private current(): Series {
    return this.series[this.state.series];
  }

  /** Values and scale of the units that there are now, then the text. */
  private build(): void {
    const { state } = this;
    const groups = this.groups();
    const of = this.current();
    this.tip.show('');
    this.units = unitsOf(groups);
    this.values = joined(of.values, this.units, of.adds === 'mean');
    const joins = this.units.length < this.count;
    const finite = Array.from(this.values).filter(Number.isFinite);
    const most = finite.reduce((high, value) => Math.max(high, of.signed ? Math.abs(value) : value), -Infinity);
    this.range = !joins || !finite.length || of.adds === 'mean' ? { low: of.low, high: of.high } : { low: of.signed ? -most : Math.min(0, of.low), high: most };
    this.range.high = this.range.high > this.range.low ? this.range.high : this.range.low + 1;
    this.ranks = this.units.map((_unit, i) => i).filter(i => Number.isFinite(this.values[i]));
    this.ranks.sort((a, b) => this.values[b] - this.values[a] || a - b);
    state.at = state.at < this.units.length ? state.at : -1;
    this.lay();
    if (this.slider) {
      this.slider.dispatchEvent(new Event('input')); /* which tells the threshold on the new scale, and colours */
    } else {
      this.colour();
    }
    this.paintLegend();
    this.pin(state.pinned && state.at >= 0);
  }

  /* ---- the text ---- */

  private lay(): void {
    const lines = document.createDocumentFragment();
    let line = element('div', 'line');
    const open = () => {
      line = element('div', 'line');
      line.setAttribute('role', 'presentation');
      lines.append(line);
    };
    const put = (node: HTMLElement, text: string) => {
      line.append(node);
      for (let i = text.split('\n').length; i > 1; i--) {
        open();
      }
    };
    open();
    let done = 0;
    this.nodes = this.units.map((unit, i) => {
      const place = this.placeOf(unit);
      const node = element('span', 'token');
      node.dataset.unit = String(i);
      node.setAttribute('role', 'option');
      node.setAttribute('aria-selected', 'false');
      let text = '';
      if (place) {
        if (place.begin > done) {
          const between = this.bytes.slice(done, place.begin);
          put(element('span', 'between', visible(between.replace(/\n/g, ''))), between);
        }
        text = this.bytes.slice(Math.max(place.begin, Math.min(done, place.end)), place.end) || this.bytes.slice(place.begin, place.end);
        node.textContent = visible(text.replace(/\n/g, '⏎'));
        done = Math.max(done, place.end);
      } else {
        for (let t = unit.first; t <= unit.last && this.span; t++) {
          done = this.isStanding(t) ? Math.max(done, this.span[2 * t + 1]) : done;
        }
        node.textContent = this.labels.slice(unit.first, unit.last + 1).map(visible).join('');
        node.classList.toggle('cutaway-tag', !this.isStanding(unit.first) && this.span !== null);
      }
      put(node, text);
      return node;
    });
    if (this.all === this.count && this.span && done < this.bytes.bytes.length) {
      line.append(element('span', 'between', visible(this.bytes.slice(done, this.bytes.bytes.length))));
    }
    lines.querySelectorAll<HTMLElement>('.cutaway-line').forEach(filled => (filled.dir = 'auto')); /* at last: it is found out anew whenever a line grows */
    this.box.replaceChildren(lines);
  }

  private share(value: number): number {
    return (value - this.range.low) / (this.range.high - this.range.low);
  }

  private nameColour(i: number): string {
    const words = this.words;
    const word = words ? words[i] : i;
    let before = 0;
    while (words && i - before > 0 && words[i - before - 1] === word && before < 64) {
      before++;
    }
    return turnColour(this.look, word, before % 2 === 1);
  }

  private colour(): void {
    const { look, state } = this;
    const of = this.current();
    const pixels = ramp(of.colours.length > 1 ? of.colours : ['#ffffff', '#0083af'], look);
    const base = of.signed ? 0 : this.range.low;
    const least = base + state.least * (this.range.high - base);
    this.nodes.forEach((node, i) => {
      const value = this.values[i];
      const magnitude = of.signed ? Math.abs(value) : value;
      const grey = !this.named && (Number.isNaN(value) || (state.least > 0 && magnitude < least));
      const tag = node.classList.contains('cutaway-tag');
      const under = this.named ? tag ? look.grid : this.nameColour(this.units[i].first) : colourOf(pixels[Math.round(255 * Math.min(1, Math.max(0, this.share(value) || 0)))]);
      node.style.background = grey ? (Number.isNaN(value) ? look.grid : 'transparent') : under;
      node.style.color = grey ? (Number.isNaN(value) ? look.ink : look.quiet) : textOn(under);
      node.classList.toggle('cutaway-below', of.signed && !grey && value < 0);
      if (!this.named) {
        node.dataset.value = Number.isNaN(value) ? '' : String(+value.toPrecision(Math.abs(value) >= 100 ? 3 : 2));
      }
    });
  }

  private paintLegend(): void {
    const { look, say } = this;
    const of = this.current();
    if (this.named) {
      this.legend.textContent = say('one colour a word, two shades in turn');
      return;
    }
    const bar = element('span', 'ramp');
    const pixels = ramp(of.colours.length > 1 ? of.colours : ['#ffffff', '#0083af'], look);
    bar.style.background = `linear-gradient(to right, ${Array.from({ length: 17 }, (_none, i) => colourOf(pixels[Math.round((255 * i) / 16)])).join(', ')})`;
    bar.style.borderColor = look.line;
    const name = element('span', 'measure', this.measure());
    const rest = of.signed ? [element('span', 'note', say('below 0: dotted line'))] : [];
    this.legend.replaceChildren(name, element('span', 'low', told(+this.range.low.toPrecision(3))), bar, element('span', 'high', `${told(+this.range.high.toPrecision(3))} ${visible(of.unit)}`), ...rest);
  }

  private measure(): string {
    const of = this.current();
    const joins = this.units.length < this.count && of.adds;
    const name = visible(of.name);
    return joins ? this.say(of.adds === 'sum' ? '{name}, sum' : '{name}, mean', { name }) : name;
  }

  /* ---- what is told ---- */

  private nameOf(i: number): string {
    const unit = this.units[i];
    return unit.first === unit.last ? visible(this.labels[unit.first]) : (this.nodes[i].textContent ?? '');
  }

  private facts(i: number): [string, string][] {
    const unit = this.units[i];
    const { say } = this;
    const place = this.placeOf(unit);
    const facts: [string, string][] = [];
    this.series.forEach((of, s) => {
      const [value] = joined(of.values, [unit], of.adds === 'mean');
      if (unit.first === unit.last || of.adds) {
        const name = visible(of.name);
        const text = Number.isNaN(value) ? say('no value') : `${told(value)} ${of.unit === 'id' ? '' : visible(of.unit)}`.trim();
        facts.push([s === this.state.series ? this.measure() : name, text]);
      }
    });
    const rank = this.ranks.indexOf(i);
    if (rank >= 0 && !this.named) {
      facts.push(['', say('rank {rank} by value', { rank: rank + 1 })]);
    }
    if (unit.first === unit.last) {
      this.texts.filter(of => of.texts[unit.first]).forEach(of => facts.push([visible(of.name), visible(of.texts[unit.first])]));
    }
    if (place) {
      facts.push([say('bytes'), `${place.begin}–${place.end}`]);
    }
    return facts;
  }

  private sentence(i: number): string {
    const unit = this.say(this.state.unit);
    const at = this.say('{unit} {at} of {all}', { unit, at: i + 1, all: this.units.length });
    const facts = this.facts(i).map(([name, text]) => `${name} ${text}`.trim());
    return [`${this.nameOf(i)}`, at, ...facts].join(' · ');
  }

  private go(i: number): void {
    this.state.at = i;
    this.walk.go(this.nodes[i] ?? null, i < 0 ? '' : this.sentence(i));
  }

  private pin(on: boolean): void {
    const { state } = this;
    state.pinned = on;
    this.details.replaceChildren();
    if (on && state.at >= 0) {
      this.go(state.at);
      const rows: [string, string][] = [[this.say(state.unit), this.nameOf(state.at)], ...this.facts(state.at)];
      rows.filter(([name]) => name).forEach(([name, text]) => {
        const row = element('div', 'fact');
        row.append(element('dt', 'term', name), element('dd', 'fact-text', text));
        this.details.append(row);
      });
    }
    this.nodes.forEach((node, i) => node.classList.toggle('cutaway-held', on && i === state.at));
  }

  /* ---- mouse and keys ---- */

  private unitUnder(event: Event): number {
    const at = this.walk.under(event, 'unit');
    return at === '' ? -1 : Number(at);
  }

  private point(event: MouseEvent): void {
    const at = this.unitUnder(event);
    if (at < 0) {
      this.tip.show('');
      return;
    }
    if (!this.state.pinned) {
      this.go(at);
    } else {
      this.frame.say(this.sentence(at));
    }
    const around = this.frame.host.getBoundingClientRect();
    const node = this.nodes[at].getBoundingClientRect();
    this.tip.show(this.sentence(at), { x: event.clientX - around.left, y: node.top - around.top, below: node.bottom - around.top });
  }

  private leave(): void {
    this.tip.show('');
    if (this.state.pinned) {
      this.frame.say(this.sentence(this.state.at));
    } else if (document.activeElement !== this.box) {
      this.go(-1);
    }
  }

  private walkRanks(step: number): void {
    if (!this.ranks.length) {
      return;
    }
    const rank = this.ranks.indexOf(this.state.at);
    const all = this.ranks.length;
    this.show(this.ranks[rank < 0 ? (step > 0 ? 0 : all - 1) : (rank + step + all) % all]);
  }

  private show(i: number): void {
    this.tip.show('');
    this.go(i);
    this.walk.reveal();
    if (this.state.pinned) {
      this.pin(true);
    }
  }

  /** The unit of the next line up or down that stands nearest below or above. */
  private beside(step: number): number {
    const from = this.nodes[this.state.at].getClientRects()[0];
    if (!from) {
      return this.state.at;
    }
    const middle = (from.left + from.right) / 2;
    let best = this.state.at;
    let line = NaN;
    let nearest = Infinity;
    for (let i = this.state.at + step; i >= 0 && i < this.nodes.length; i += step) {
      const rect = this.nodes[i].getClientRects()[0];
      const away = rect ? (rect.top - from.top) * step : 0;
      if (!rect || away < 8) {
        continue;
      }
      line = Number.isNaN(line) ? rect.top : line;
      if (Math.abs(rect.top - line) > 8) {
        break;
      }
      const gap = Math.abs((rect.left + rect.right) / 2 - middle);
      if (gap < nearest) {
        nearest = gap;
        best = i;
      }
    }
    return best;
  }

  /** By one unit to the right or left, as the line runs. */
  private step(right: boolean): void {
    const { at } = this.state;
    const turned = at >= 0 && getComputedStyle(this.nodes[at].parentElement ?? this.box).direction === 'rtl';
    this.show(within(at + (right === turned ? -1 : 1), this.units.length));
  }

  private listen(): void {
    const { state } = this;
    const ranks: Record<string, () => void> = { n: () => this.walkRanks(1), p: () => this.walkRanks(-1) };
    this.walk.keys({
      ArrowRight: () => this.step(true),
      ArrowLeft: () => this.step(false),
      ArrowDown: () => this.show(state.at < 0 ? 0 : this.beside(1)),
      ArrowUp: () => this.show(state.at < 0 ? 0 : this.beside(-1)),
      Home: () => this.show(0),
      End: () => this.show(this.units.length - 1),
      Enter: () => this.pin(state.at >= 0),
      Escape: () => this.pin(false),
      ...(this.named ? {} : ranks)
    });
  }
}

export function tokens(frame: Frame): View {
  return new Tokens(frame);
}
