/** A model to the scale of its parameters: all of it as one strip of boxes in boxes, and its sections as a tree that unfolds to their parts. */
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Reader } from '../reader.js';
import type { Frame, View } from '../view.js';
import { addChinese, type Words } from '../words.js';
import { visible } from './text_pieces.js';
import { Walk, within } from './walk.js';

addChinese({
  block: '层',
  all: '全部',
  'unfold all': '全部展开',
  'fold all': '全部收起',
  'search parts': '搜索部件',
  'copy the name': '复制名称',
  'copied: {name}': '已复制:{name}',
  'the name to copy: {name}': '可复制的名称:{name}',
  parameters: '参数个数',
  '{number} parameters': '{number} 个参数',
  '{share} of the model': '占模型 {share}',
  '{copies} copies of {number}': '{copies} 份,每份 {number}',
  'folded: Enter unfolds': '已收起:回车展开',
  'unfolded, {count} parts': '已展开,{count} 个部件',
  'shared: {number}': '共享:{number}',
  '{found} parts found': '找到 {found} 个部件',
  'sections and parts': '部位和部件',
  part: '部件',
  shape: '形状',
  type: '类型',
  share: '占比',
  'tensor': '张量',
  'Widths are to the scale of the parameters: above the whole model, in the rows one block of each section.': '宽度与参数个数成正比:上方是整个模型,各行是该部位的一层。',
  'Keys: up and down from row to row, Enter or right unfolds a section, left folds it, Enter on a part copies its name, Home and End.':
    '键盘:上下键换行,回车或右键展开部位,左键收起,在部件上回车复制名称,Home、End 到首尾。'
});

interface Part {
  readonly name: string;
  readonly shape: string;
  readonly type: string;
  readonly number: string;
  readonly tensor: string;
  readonly colour: string;
  readonly parameters: number;
}

interface Section {
  readonly name: string;
  readonly copies: number;
  readonly parts: Part[];
  /** Parameters of one copy. */
  readonly each: number;
  /** The numbers of its blocks; empty where it is none, or where they are not told. */
  readonly layers: number[];
}

interface State {
  folded: Set<number>;
  block: number;
  search: string;
  section: number;
  part: number;
  picked: string;
}

const PARTS_OPEN = 60;
const SLICES = 200;
/** Boxes of the strip, all together. */
const BOXES = 4000;
/** More blocks than these are not told apart. */
const MOST_LAYERS = 1000;
const states = new WeakMap<Figure, State>();

/** "blocks 0–5, 7" names 0 1 2 3 4 5 7, if that is as many as there are copies. */
function layersOf(name: string, copies: number): number[] {
  const layers: number[] = [];
  if (copies > MOST_LAYERS) {
    return layers;
  }
  for (const [, first, last] of name.matchAll(/(\d+)(?:\s*[–-]\s*(\d+))?/g)) {
    for (let layer = +first; layer <= +(last ?? first) && layers.length <= copies; layer++) {
      layers.push(layer);
    }
  }
  return layers.length === copies && copies > 1 ? layers : [];
}

function readPart(of: Reader): Part {
  return {
    name: visible(of.text('name')),
    shape: visible(of.text('shape', '')),
    type: visible(of.text('type', '')),
    number: visible(of.text('number', '')),
    tensor: visible(of.text('tensor', '')),
    colour: /^#[0-9a-f]{6}$/i.test(of.text('colour', '')) ? of.text('colour') : '#8a8f96',
    parameters: Math.max(0, of.number('parameters'))
  };
}

function readSection(of: Reader): Section {
  const parts = of.objects('parts').map(readPart);
  const copies = Math.max(1, Math.min(100000, Math.round(of.number('copies'))));
  const name = visible(of.text('name'));
  return { name, copies, parts, each: parts.reduce((sum, part) => sum + part.parameters, 0), layers: layersOf(name, copies) };
}

function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

function shareText(value: number): string {
  return `${value > 0 && value < 0.0005 ? '< 0.1' : (100 * value).toFixed(1)} %`;
}

interface Line {
  readonly section: number;
  /** -1: the section itself. */
  readonly part: number;
  readonly node: HTMLElement;
}

class Architecture implements View {
  private readonly sections: Section[];
  private readonly total: number;
  private readonly state: State;
  private readonly say: Words;
  private readonly walk: Walk;
  private readonly strip = element('div', 'whole');
  private readonly box = element('div', 'anatomy');
  private readonly picked = element('div', 'picked-name');
  private lines: Line[] = [];

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    this.sections = reader.objects('sections').map(readSection);
    if (!this.sections.length) {
      throw new Error('the architecture has no sections');
    }
    this.total = this.sections.reduce((sum, section) => sum + section.copies * section.each, 0);
    this.say = frame.words;
    const parts = this.sections.reduce((sum, section) => sum + section.parts.length, 0);
    const folded = new Set(parts > PARTS_OPEN ? this.sections.map((_section, s) => s) : []);
    this.state = states.get(frame.figure) ?? { folded, block: -1, search: '', section: -1, part: -1, picked: '' };
    states.set(frame.figure, this.state);
    this.walk = new Walk(frame, this.box, 'tree', `${this.say('sections and parts')}: ${visible(frame.figure.title)}`);
    this.box.style.setProperty('--cutaway-line', frame.look.line);
    this.picked.setAttribute('aria-live', 'polite');
    this.addTools();
    const widths = 'Widths are to the scale of the parameters: above the whole model, in the rows one block of each section.';
    const keys = 'Keys: up and down from row to row, Enter or right unfolds a section, left folds it, Enter on a part copies its name, Home and End.';
    frame.host.append(this.strip, this.box, this.picked, element('p', 'hint', this.say(widths)), element('p', 'hint', this.say(keys)));
    this.listen();
    this.paintStrip();
    this.build();
    this.showPicked(this.state.picked, false);
  }

  draw(): void {
    /* Boxes are shares of the width. */
  }

  private addTools(): void {
    const { frame, say, state } = this;
    const blocks = [...new Set(this.sections.flatMap(section => section.layers))].sort((a, b) => a - b);
    if (blocks.length > 1) {
      const choices = [{ value: '-1', label: say('all') }, ...blocks.slice(0, MOST_LAYERS).map(layer => ({ value: String(layer), label: String(layer) }))];
      frame.menu(say('block'), choices, String(state.block), value => {
        state.block = +value;
        this.build();
      });
    }
    const search = frame.search(say('search parts'), text => {
      state.search = text;
      this.build();
      frame.say(text ? say('{found} parts found', { found: this.lines.filter(line => line.part >= 0).length }) : '');
    });
    search.value = state.search;
    frame.button(say('unfold all'), () => this.foldAll(false));
    frame.button(say('fold all'), () => this.foldAll(true));
  }

  private foldAll(on: boolean): void {
    this.state.folded = new Set(on ? this.sections.map((_section, s) => s) : []);
    this.build();
  }

  /* ---- the whole model ---- */

  /** Sections beside each other, in each its copies, in each of these its parts: as wide as their parameters are many. */
  private paintStrip(): void {
    const { look } = this.frame;
    this.strip.replaceChildren();
    this.strip.setAttribute('aria-hidden', 'true');
    this.strip.style.borderColor = look.line;
    const parts = this.sections.reduce((sum, section) => sum + section.parts.length, 0);
    this.sections.forEach((section, s) => {
      const share = this.total > 0 ? (section.copies * section.each) / this.total : 0;
      const box = element('div', 'whole-section');
      box.dataset.section = String(s);
      box.style.flex = `${share} 1 0`;
      box.style.borderColor = look.paper;
      const inner = element('div', 'whole-copies');
      const slices = Math.max(1, Math.min(section.copies, SLICES, Math.floor(BOXES / Math.max(1, parts))));
      for (let c = 0; c < slices; c++) {
        const copy = element('div', 'whole-copy');
        copy.style.borderColor = look.paper;
        section.parts.forEach((part, p) => {
          if (part.parameters > 0) {
            const slice = element('div', 'whole-part');
            slice.dataset.section = String(s);
            slice.dataset.part = String(p);
            slice.style.flex = `${part.parameters} 1 0`;
            slice.style.background = look.shade(part.colour);
            copy.append(slice);
          }
        });
        inner.append(copy);
      }
      box.append(inner);
      if (share > 0.06) {
        box.append(element('div', 'whole-name', `${section.name} · ${shareText(share)}`));
      }
      this.strip.append(box);
    });
  }

  /* ---- the tree ---- */

  private tensor(section: Section, part: Part): string {
    const { block } = this.state;
    return section.layers.includes(block) ? part.tensor.replace('*', String(block)) : part.tensor;
  }

  private isFound(section: Section, part: Part): boolean {
    const wanted = this.state.search.trim().toLocaleLowerCase();
    return !wanted || [part.name, part.type, part.shape, this.tensor(section, part), section.name].some(text => text.toLocaleLowerCase().includes(wanted));
  }

  private sectionLine(s: number, open: boolean): HTMLElement {
    const section = this.sections[s];
    const { look } = this.frame;
    const share = this.total > 0 ? (section.copies * section.each) / this.total : 0;
    const node = element('div', 'tree-section');
    node.dataset.line = `${s},-1`;
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-level', '1');
    node.setAttribute('aria-expanded', String(open));
    node.setAttribute('aria-selected', 'false');
    node.style.borderColor = look.line;
    const copies = section.copies > 1 ? ` × ${section.copies}` : '';
    node.append(
      element('span', 'tree-mark', open ? '▾' : '▸'),
      element('span', 'tree-name', section.name + copies),
      this.bar(section.parts.map(part => [part.parameters, part.colour]), section.each),
      element('span', 'tree-number', grouped(section.copies * section.each)),
      element('span', 'tree-share', shareText(share))
    );
    return node;
  }

  private bar(parts: [number, string][], all: number): HTMLElement {
    const bar = element('span', 'tree-bar');
    const { look } = this.frame;
    bar.style.background = look.grid;
    parts.filter(([parameters]) => parameters > 0).forEach(([parameters, colour]) => {
      const slice = element('span', 'tree-slice');
      slice.style.width = `${(100 * parameters) / (all || 1)}%`;
      slice.style.background = look.shade(colour);
      bar.append(slice);
    });
    return bar;
  }

  private partLine(s: number, p: number): HTMLElement {
    const section = this.sections[s];
    const part = section.parts[p];
    const { look } = this.frame;
    const node = element('div', 'tree-part');
    node.dataset.line = `${s},${p}`;
    node.setAttribute('role', 'treeitem');
    node.setAttribute('aria-level', '2');
    node.setAttribute('aria-selected', 'false');
    node.style.borderColor = look.line;
    const swatch = element('span', 'tree-swatch');
    swatch.style.background = look.shade(part.colour);
    const name = element('span', 'tree-name');
    name.append(swatch, part.name);
    const before = section.parts.slice(0, p).reduce((sum, one) => sum + one.parameters, 0);
    const bar = element('span', 'tree-bar');
    bar.style.background = look.grid;
    const slice = element('span', 'tree-slice');
    Object.assign(slice.style, { marginLeft: `${(100 * before) / (section.each || 1)}%`, width: `${(100 * part.parameters) / (section.each || 1)}%`, background: look.shade(part.colour) });
    if (part.parameters > 0) {
      slice.style.minWidth = '1px';
      bar.append(slice);
    }
    node.append(
      element('span', 'tree-mark'),
      name,
      bar,
      element('span', 'tree-number', part.number || grouped(part.parameters)),
      element('span', 'tree-share', shareText(this.total > 0 ? (section.copies * part.parameters) / this.total : 0)),
      element('span', 'tree-shape', `${part.shape}  ${part.type}`),
      element('span', 'tree-tensor', this.tensor(section, part))
    );
    node.querySelectorAll<HTMLElement>('.cutaway-tree-number, .cutaway-tree-shape, .cutaway-tree-tensor').forEach(cell => (cell.title = cell.textContent ?? ''));
    return node;
  }

  private build(): void {
    const { state } = this;
    const wanted = state.search.trim() !== '';
    this.lines = [];
    this.box.replaceChildren();
    this.sections.forEach((section, s) => {
      const found = section.parts.map((_part, p) => p).filter(p => this.isFound(section, section.parts[p]));
      if (wanted && !found.length) {
        return;
      }
      const open = wanted || !state.folded.has(s);
      const head = this.sectionLine(s, open);
      this.lines.push({ section: s, part: -1, node: head });
      this.box.append(head);
      if (open) {
        const group = element('div', 'tree-parts');
        group.setAttribute('role', 'group');
        found.forEach(p => {
          const node = this.partLine(s, p);
          this.lines.push({ section: s, part: p, node });
          group.append(node);
        });
        this.box.append(group);
      }
    });
    if (state.section >= 0) {
      const at = this.lines.findIndex(line => line.section === state.section && line.part === state.part);
      this.go(at >= 0 ? at : this.lines.findIndex(line => line.section === state.section));
    }
  }

  /* ---- what is told ---- */

  private sentence(line: Line): string {
    const { say } = this;
    const section = this.sections[line.section];
    const share = (parameters: number) => say('{share} of the model', { share: shareText(this.total > 0 ? (section.copies * parameters) / this.total : 0) });
    const copies = (parameters: number) => (section.copies > 1 ? [say('{copies} copies of {number}', { copies: section.copies, number: grouped(parameters) })] : []);
    if (line.part < 0) {
      const open = line.node.getAttribute('aria-expanded') === 'true';
      const state = open ? say('unfolded, {count} parts', { count: section.parts.length }) : say('folded: Enter unfolds');
      return [section.name, say('{number} parameters', { number: grouped(section.copies * section.each) }), ...copies(section.each), share(section.each), state].join(' · ');
    }
    const part = section.parts[line.part];
    const tied = part.number.startsWith('=') || part.number.startsWith('同');
    const number = tied ? say('shared: {number}', { number: part.number }) : say('{number} parameters', { number: part.number || grouped(part.parameters) });
    return [part.name, this.tensor(section, part), part.shape, part.type, number, ...(tied ? [] : copies(part.parameters)), share(part.parameters)].filter(text => text).join(' · ');
  }

  private go(at: number): void {
    const line = this.lines[at];
    this.state.section = line ? line.section : -1;
    this.state.part = line ? line.part : -1;
    this.walk.go(line ? line.node : null, line ? this.sentence(line) : '');
    this.strip.querySelectorAll('.cutaway-lit').forEach(node => node.classList.remove('cutaway-lit'));
    if (line) {
      const wanted = line.part < 0 ? `.cutaway-whole-section[data-section="${line.section}"]` : `.cutaway-whole-part[data-section="${line.section}"][data-part="${line.part}"]`;
      this.strip.querySelectorAll(wanted).forEach(node => node.classList.add('cutaway-lit'));
    }
  }

  private here(): number {
    return this.lines.findIndex(line => line.section === this.state.section && line.part === this.state.part);
  }

  private show(at: number): void {
    this.go(within(at, this.lines.length));
    this.walk.reveal();
  }

  private fold(section: number, on: boolean): void {
    if (on) {
      this.state.folded.add(section);
    } else {
      this.state.folded.delete(section);
    }
    this.state.section = section;
    this.state.part = on ? -1 : this.state.part;
    this.build();
    this.walk.reveal();
  }

  /** The name of a part's tensor, shown to be copied by hand, and copied where the browser lets us. */
  private pick(line: Line): void {
    const section = this.sections[line.section];
    const name = this.tensor(section, section.parts[line.part]);
    this.showPicked(name, true);
  }

  private showPicked(name: string, copies: boolean): void {
    const { say } = this;
    this.state.picked = name;
    this.picked.replaceChildren();
    if (!name) {
      return;
    }
    const tell = (done: boolean) => {
      const [before, after] = say(done ? 'copied: {name}' : 'the name to copy: {name}').split('{name}');
      this.picked.replaceChildren(before, element('code', 'tensor-name', name), after ?? '');
    };
    tell(false);
    if (copies) {
      navigator.clipboard?.writeText(name).then(() => tell(true), () => tell(false));
    }
  }

  private act(at: number): void {
    const line = this.lines[at];
    if (line && line.part >= 0) {
      this.pick(line);
    } else if (line) {
      this.fold(line.section, !this.state.folded.has(line.section));
    }
  }

  private listen(): void {
    const { box, strip, walk, state } = this;
    const under = (event: Event): number => {
      const at = walk.under(event, 'line').split(',').map(Number);
      return at.length === 2 ? this.lines.findIndex(line => line.section === at[0] && line.part === at[1]) : -1;
    };
    walk.hover(event => {
      const at = under(event);
      if (at >= 0) {
        this.go(at);
      }
    });
    box.addEventListener('click', event => {
      const at = under(event);
      if (at >= 0) {
        this.go(at);
        this.act(at);
      }
    });
    const away = () => document.activeElement !== box && this.go(-1);
    box.addEventListener('mouseleave', away);
    strip.addEventListener('mouseleave', away);
    const strips = (event: Event) => {
      const node = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-section]') : null;
      if (!node) {
        return -1;
      }
      const [s, p] = [Number(node.dataset.section), Number(node.dataset.part ?? -1)];
      const at = this.lines.findIndex(line => line.section === s && line.part === p);
      return at >= 0 ? at : this.lines.findIndex(line => line.section === s);
    };
    strip.addEventListener('mouseover', event => this.go(strips(event)));
    strip.addEventListener('click', event => {
      const at = strips(event);
      if (at >= 0) {
        this.fold(this.lines[at].section, false);
        this.box.focus();
      }
    });
    walk.keys({
      ArrowDown: () => this.show(this.here() + 1),
      ArrowUp: () => this.show(this.here() - 1),
      ArrowRight: () => (state.part < 0 && state.folded.has(state.section) ? this.fold(state.section, false) : this.show(this.here() + 1)),
      ArrowLeft: () => {
        if (state.part >= 0) {
          this.show(this.lines.findIndex(line => line.section === state.section));
        } else if (state.section >= 0) {
          this.fold(state.section, true);
        }
      },
      Home: () => this.show(0),
      End: () => this.show(this.lines.length - 1),
      Enter: () => this.act(this.here()),
      ' ': () => this.act(this.here()),
      Escape: () => this.go(-1)
    });
  }
}

export function architecture(frame: Frame): View {
  return new Architecture(frame);
}
