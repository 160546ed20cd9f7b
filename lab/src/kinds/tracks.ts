/** One text as several tokenizers cut it, aligned: a token's bytes and id are told, and what the others make of its bytes is outlined. */
import type { Figure } from '../figure.js';
import { element } from '../frame.js';
import { Reader } from '../reader.js';
import { textOn } from '../look.js';
import type { Frame, View } from '../view.js';
import { addChinese, type Words } from '../words.js';
import { Bytes, turnColour, visible } from './text_pieces.js';
import { Walk, within } from './walk.js';

addChinese({
  'next difference': '下一处不同',
  'same cut in {model}': '{model} 切法相同',
  'in {model}: {tokens}': '{model} 切成:{tokens}',
  'bytes {begin}–{end}: {hex}': '字节 {begin}–{end}:{hex}',
  'piece {at} of {all}': '第 {at} 片,共 {all} 片',
  'nothing': '无',
  'one text, several tokenizers': '同一文本,几种切分',
  'the beginning of the text; %save writes all': '文本的开头;%save 写出全部',
  'Solid frame: the same bytes make one token there too; dashed: they are cut otherwise.': '实线框:那里同样的字节也是一个词元;虚线框:切法不同。',
  'Keys: left and right from token to token, up and down from model to model, Home and End, n to the next place that is cut otherwise.':
    '键盘:左右键换词元,上下键换模型,Home、End 到首尾,n 到下一处切法不同的地方。'
});

interface Track {
  readonly model: string;
  readonly count: number;
  readonly labels: string[];
  readonly ids: Float32Array;
  readonly span: Float32Array;
  /** Of how many pieces of the same bytes each is which. */
  readonly pieces: Int32Array;
  readonly place: Int32Array;
  /** No token begins or ends before the one before it. */
  readonly ordered: boolean;
}

interface State {
  track: number;
  at: number;
}

const ROW = 26;
const BETWEEN = 14;
const PAD = 10;
const HEX_MOST = 24;
/** Atoms that all tokens together stand over; real tokens stand over few each. */
const MOST_ATOMS = 1e6;
/** Tokens out of order are looked through one by one. */
const MOST_UNSORTED = 5000;
const states = new WeakMap<Figure, State>();

function readTrack(of: Reader): Track {
  const labels = of.texts('tokens').map(visible);
  const ids = of.numbers('id').values;
  const span = of.numbers('span').values;
  if (ids.length !== labels.length || span.length !== 2 * labels.length) {
    throw new Error(`${ids.length} ids and ${span.length / 2} spans for ${labels.length} tokens`);
  }
  const pieces = new Int32Array(labels.length);
  const place = new Int32Array(labels.length);
  for (let i = 0, k = 0; i < labels.length; i = k) {
    for (k = i + 1; k < labels.length && span[2 * k] === span[2 * i] && span[2 * k + 1] === span[2 * i + 1]; k++);
    for (let b = i; b < k; b++) {
      pieces[b] = k - i;
      place[b] = b - i;
    }
  }
  return { model: of.text('model'), count: of.number('count', labels.length), labels, ids, span, pieces, place, ordered: span.every((edge, i) => i < 2 || edge >= span[i - 2]) };
}

/** The first token, of spans in order, that ends behind a byte. */
function firstBehind(span: Float32Array, byte: number): number {
  let low = 0;
  let high = span.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    span[2 * middle + 1] > byte ? (high = middle) : (low = middle + 1);
  }
  return low;
}

class Tracks implements View {
  private readonly bytes: Bytes;
  private readonly tracks: Track[];
  private readonly state: State;
  private readonly say: Words;
  private readonly walk: Walk;
  private readonly box = element('div', 'tracks');
  private nodes: HTMLElement[][] = [];
  /** Bytes where some token begins or ends, in order. */
  private readonly edges: number[];
  private readonly edgeOf: Map<number, number>;
  private outlined: HTMLElement[] = [];

  constructor(private readonly frame: Frame) {
    const reader = new Reader(frame.figure.body);
    this.bytes = new Bytes(reader.text('text', ''));
    this.tracks = reader.objects('tracks').map(readTrack);
    const edges = new Set<number>();
    this.tracks.forEach(({ span }) => span.forEach(edge => edges.add(edge)));
    this.edges = [...edges].sort((a, b) => a - b);
    this.edgeOf = new Map(this.edges.map((edge, i) => [edge, i]));
    if (!this.tracks.length || this.tracks.length > 64 || this.tracks.some(({ span }) => span.some((edge, i) => !(edge >= 0) || (i % 2 === 1 && edge <= span[i - 1])))) {
      throw new Error('the spans of the tokens are no spans');
    }
    const atoms = this.tracks.reduce((sum, track) => sum + track.labels.reduce((all, _label, i) => all + this.atoms(track, i)[1] - this.atoms(track, i)[0], 0), 0);
    if (atoms > MOST_ATOMS || this.tracks.some(({ ordered, labels }) => !ordered && labels.length > MOST_UNSORTED)) {
      throw new Error('the tokens lie over each other too often');
    }
    this.say = frame.words;
    this.state = states.get(frame.figure) ?? { track: 0, at: -1 };
    states.set(frame.figure, this.state);
    this.walk = new Walk(frame, this.box, 'listbox', `${this.say('one text, several tokenizers')}: ${visible(frame.figure.title)}`);
    frame.button(this.say('next difference'), () => this.nextDifference());
    const keys = 'Keys: left and right from token to token, up and down from model to model, Home and End, n to the next place that is cut otherwise.';
    frame.host.append(this.box, element('p', 'hint', this.say('Solid frame: the same bytes make one token there too; dashed: they are cut otherwise.')), element('p', 'hint', this.say(keys)));
    this.listen();
  }

  /* ---- layout ---- */

  /** Widths of what stands between two edges, so that every token above it has the room that its label needs. */
  private widths(context: CanvasRenderingContext2D): Float64Array {
    const widths = new Float64Array(Math.max(0, this.edges.length - 1));
    for (const track of this.tracks) {
      track.labels.forEach((label, i) => {
        const [first, end] = this.atoms(track, i);
        let more = (context.measureText(label).width + PAD) * track.pieces[i];
        for (let a = first; a < end; a++) {
          more -= widths[a];
        }
        for (let a = first; more > 0 && a < end; a++) {
          widths[a] += more / (end - first);
        }
      });
    }
    return widths;
  }

  private atoms(track: Track, i: number): [number, number] {
    return [this.edgeOf.get(track.span[2 * i]) ?? 0, this.edgeOf.get(track.span[2 * i + 1]) ?? 0];
  }

  /** Where each atom stands: lines end where the text's do, or where no token of any track goes through. */
  private places(widths: Float64Array, room: number): { x: Float64Array; line: Int32Array } {
    const inside = new Uint8Array(this.edges.length);
    for (const track of this.tracks) {
      for (let i = 0; i < track.labels.length; i++) {
        const [first, end] = this.atoms(track, i);
        for (let a = first + 1; track.place[i] === 0 && a < end; a++) {
          inside[a] = 1;
        }
      }
    }
    const x = new Float64Array(widths.length);
    const line = new Int32Array(widths.length);
    let at = 0;
    let now = 0;
    for (let a = 0, end = 0; a < widths.length; a = end) {
      let width = widths[a];
      for (end = a + 1; end < widths.length && inside[end]; end++) {
        width += widths[end];
      }
      const ends = a > 0 && this.bytes.slice(this.edges[a - 1], this.edges[a]).includes('\n');
      if (at > 0 && (ends || at + width > room)) {
        at = 0;
        now++;
      }
      for (let i = a; i < end; i++) {
        x[i] = at;
        line[i] = now;
        at += widths[i];
      }
    }
    return { x, line };
  }

  draw(width: number): void {
    const { look } = this.frame;
    const context = document.createElement('canvas').getContext('2d');
    if (!context) {
      throw new Error('this browser measures no text');
    }
    context.font = `600 11px ${look.font}`;
    const names = Math.min(140, Math.max(...this.tracks.map(({ model }) => context.measureText(visible(model)).width + 14)));
    context.font = `13px ${look.font}`;
    this.box.style.fontFamily = look.font;
    const widths = this.widths(context);
    const { x, line } = this.places(widths, Math.min(width, 1000) - names - 8);
    const high = this.tracks.length * ROW + BETWEEN;
    const lines = Array.from({ length: (line[line.length - 1] ?? 0) + 1 }, () => this.line(high));
    this.nodes = this.tracks.map((track, t) =>
      track.labels.map((label, i) => {
        const [first, end] = this.atoms(track, i);
        let all = 0;
        for (let a = first; a < end; a++) {
          all += widths[a];
        }
        const node = this.token(t, i, label);
        const wide = all / track.pieces[i];
        Object.assign(node.style, { left: `${names + x[first] + wide * track.place[i]}px`, top: `${t * ROW}px`, width: `${Math.max(1, wide - 1)}px` });
        lines[line[first]].append(node);
        return node;
      })
    );
    this.box.replaceChildren(...lines);
    if (this.state.at >= 0) {
      this.go(this.state.track, this.state.at);
    }
  }

  private line(high: number): HTMLElement {
    const line = element('div', 'tracks-line');
    line.setAttribute('role', 'presentation');
    line.style.height = `${high}px`;
    this.tracks.forEach((track, t) => {
      const name = element('span', 'tracks-name', visible(track.model));
      name.style.top = `${t * ROW}px`;
      name.style.color = this.frame.look.quiet;
      line.append(name);
    });
    return line;
  }

  private token(t: number, i: number, label: string): HTMLElement {
    const node = element('span', 'tracks-token', label);
    const under = turnColour(this.frame.look, t, i % 2 === 1);
    node.dataset.at = `${t},${i}`;
    node.setAttribute('role', 'option');
    node.setAttribute('aria-selected', 'false');
    node.style.background = under;
    node.style.color = textOn(under);
    return node;
  }

  /* ---- what is told ---- */

  /** Tokens of another track that share bytes with it. */
  private others(t: number, i: number, other: number): number[] {
    const { span } = this.tracks[t];
    const begin = span[2 * i];
    const end = span[2 * i + 1];
    const { span: there, ordered } = this.tracks[other];
    const found: number[] = [];
    for (let k = ordered ? firstBehind(there, begin) : 0; 2 * k < there.length && !(ordered && there[2 * k] >= end); k++) {
      if (there[2 * k] < end && there[2 * k + 1] > begin) {
        found.push(k);
      }
    }
    return found;
  }

  private isSame(t: number, i: number, other: number, found: number[]): boolean {
    const here = this.tracks[t].span;
    const there = this.tracks[other].span;
    return found.length === this.tracks[t].pieces[i] && found.every(k => there[2 * k] === here[2 * i] && there[2 * k + 1] === here[2 * i + 1]);
  }

  private sentence(t: number, i: number): string {
    const track = this.tracks[t];
    const { say } = this;
    const [begin, end] = [track.span[2 * i], track.span[2 * i + 1]];
    const cut = Math.min(end, begin + HEX_MOST);
    const facts = [`${visible(track.model)}: ${track.labels[i]}`, `id ${track.ids[i]}`, say('bytes {begin}–{end}: {hex}', { begin, end, hex: this.bytes.hex(begin, cut) + (cut < end ? ' …' : '') })];
    if (track.pieces[i] > 1) {
      facts.push(say('piece {at} of {all}', { at: track.place[i] + 1, all: track.pieces[i] }));
    }
    this.tracks.forEach((other, o) => {
      if (o !== t) {
        const found = this.others(t, i, o);
        const model = visible(other.model);
        const tokens = found.slice(0, 8).map(k => other.labels[k]).join(' | ') || say('nothing');
        facts.push(this.isSame(t, i, o, found) ? say('same cut in {model}', { model }) : say('in {model}: {tokens}', { model, tokens }));
      }
    });
    return facts.join(' · ');
  }

  private go(t: number, i: number): void {
    this.state.track = t;
    this.state.at = i;
    this.outlined.forEach(node => node.classList.remove('cutaway-same', 'cutaway-other'));
    this.outlined = [];
    if (i < 0) {
      this.walk.go(null);
      return;
    }
    this.tracks.forEach((_other, o) => {
      if (o !== t) {
        const found = this.others(t, i, o);
        const name = this.isSame(t, i, o, found) ? 'cutaway-same' : 'cutaway-other';
        found.forEach(k => {
          this.nodes[o][k].classList.add(name);
          this.outlined.push(this.nodes[o][k]);
        });
      }
    });
    this.walk.go(this.nodes[t][i], this.sentence(t, i));
  }

  private show(t: number, i: number): void {
    this.go(t, within(i, this.tracks[t].labels.length));
    this.walk.reveal();
  }

  /** The token of that track that stands nearest to the current one. */
  private toTrack(t: number): void {
    const { state } = this;
    if (state.at < 0) {
      this.show(t, 0);
      return;
    }
    const found = this.others(state.track, state.at, t);
    const begin = this.tracks[state.track].span[2 * state.at];
    const there = this.tracks[t].span;
    let nearest = 0;
    for (let k = 0; 2 * k < there.length && there[2 * k] <= begin; k++) {
      nearest = k;
    }
    this.show(t, found.length ? found[0] : nearest);
  }

  private nextDifference(): void {
    const { track, at } = this.state;
    const { labels } = this.tracks[track];
    for (let step = 1; step <= labels.length; step++) {
      const i = (at + step) % labels.length;
      if (this.tracks.some((_other, o) => o !== track && !this.isSame(track, i, o, this.others(track, i, o)))) {
        this.show(track, i);
        return;
      }
    }
  }

  private listen(): void {
    const { box, state, walk } = this;
    const under = (event: Event) => {
      const at = walk.under(event, 'at').split(',').map(Number);
      if (at.length === 2) {
        this.go(at[0], at[1]);
      }
    };
    walk.hover(under);
    box.addEventListener('click', under);
    box.addEventListener('mouseleave', () => document.activeElement !== box && this.go(state.track, -1));
    walk.keys({
      ArrowRight: () => this.show(state.track, state.at + 1),
      ArrowLeft: () => this.show(state.track, state.at - 1),
      ArrowDown: () => this.toTrack(within(state.at < 0 ? 0 : state.track + 1, this.tracks.length)),
      ArrowUp: () => this.toTrack(within(state.track - 1, this.tracks.length)),
      Home: () => this.show(state.track, 0),
      End: () => this.show(state.track, Infinity),
      n: () => this.nextDifference(),
      Escape: () => this.go(state.track, -1)
    });
  }
}

export function tracks(frame: Frame): View {
  return new Tracks(frame);
}
