/** The overview under the mouse and the keys: which head is under the cursor, and opening it. */
import type { Frame } from '../view.js';
import { addChinese } from '../words.js';
import type { HeatData } from './heatmap_data.js';
import { Grid } from './heatmap_grid.js';
import { arrange, orders, PLAIN, scoreOf, tellScores } from './heatmap_order.js';
import type { Palette } from './heatmap_paint.js';
import { Tip } from './heatmap_tip.js';
import { coloursOf, show, type State } from './heatmap_state.js';

addChinese({
  'Arrow keys move, Enter opens, click opens.': '方向键移动，Enter 或单击打开。',
  'overview': '总览',
  '{name}, number {rank} of {count}': '{name}，第 {rank} / {count}'
});

export class Overview {
  readonly node = document.createElement('div');
  private readonly canvas: HTMLCanvasElement;
  private readonly grid: Grid;
  private readonly tip: Tip;
  private readonly order: HTMLSelectElement | null = null;
  private panels: number[];
  private width = 0;

  constructor(private readonly frame: Frame, private readonly data: HeatData, palette: Palette, private readonly state: State, private readonly open: (panel: number) => void) {
    this.grid = new Grid(frame, data, palette);
    this.panels = arrange(data, state.order);
    this.canvas = frame.canvas(frame.figure.alt);
    this.canvas.setAttribute('role', 'application');
    this.canvas.setAttribute('aria-roledescription', frame.words('overview'));
    const help = document.createElement('div');
    help.className = 'cutaway-note';
    help.textContent = frame.words('Arrow keys move, Enter opens, click opens.');
    this.node.append(help);
    this.tip = new Tip(this.node, frame.look, this.canvas);
    if (data.scores.length > 0 && data.panels > 1) {
      this.order = frame.menu(frame.words('order'), orders(data, frame.words), state.order, value => this.sort(value));
    }
    this.listen();
  }

  private listen(): void {
    this.canvas.addEventListener('mousemove', event => this.go(this.grid.at(event.offsetX, event.offsetY), event));
    this.canvas.addEventListener('mouseleave', () => this.go(-1));
    this.canvas.addEventListener('click', event => {
      const position = this.grid.at(event.offsetX, event.offsetY);
      if (position >= 0) {
        this.open(this.panels[position]);
      }
    });
    this.canvas.addEventListener('keydown', event => {
      if (this.key(event.key)) {
        event.preventDefault();
        this.tip.reveal();
        this.tip.node.scrollIntoView({ block: 'nearest' });
      }
    });
  }

  private key(key: string): boolean {
    const position = this.panels.indexOf(this.state.panel);
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    if (step) {
      this.go(this.grid.move(position, step[0], step[1]));
    } else if (key === 'Home' || key === 'End') {
      this.go(key === 'Home' ? 0 : this.panels.length - 1);
    } else if (key === 'Enter' && position >= 0) {
      this.open(this.panels[position]);
    } else {
      return false;
    }
    return true;
  }

  private go(position: number, event?: MouseEvent): void {
    this.state.panel = position < 0 ? -1 : this.panels[position];
    const cell = event && position >= 0 ? this.grid.tellCell(position, event.offsetX, event.offsetY) : '';
    const said = position < 0 ? '' : [this.tell(position), cell].filter(Boolean).join(' · ');
    this.grid.paint(this.canvas, position);
    this.frame.say(said);
    position < 0 ? this.tip.show('') : this.tip.show([this.brief(position), cell].filter(Boolean).join(' · '), this.grid.spotOf(position));
  }

  private tell(position: number): string {
    const { words } = this.frame;
    const panel = this.panels[position];
    const name = this.data.panelName(panel);
    const said = this.state.order === PLAIN ? name : words('{name}, number {rank} of {count}', { name, rank: position + 1, count: this.panels.length });
    return [said, tellScores(this.data, words, panel)].filter(Boolean).join(' · ');
  }

  /** The name, and the score by which panels are ordered. */
  private brief(position: number): string {
    const { order } = this.state;
    const panel = this.panels[position];
    return [this.data.panelName(panel), tellScores(this.data, this.frame.words, panel, scoreOf(this.data, order)?.name ?? '')].filter(Boolean).join(' · ');
  }

  private sort(order: string): void {
    this.state.order = order;
    this.state.panel = -1;
    this.panels = arrange(this.data, order);
    this.draw(this.width);
  }

  /** The panel before or after one, in the order. */
  beside(panel: number, step: number): number {
    const to = this.panels.indexOf(panel) + step;
    return this.panels[Math.max(0, Math.min(this.panels.length - 1, to))];
  }

  draw(width: number): void {
    this.width = width;
    this.grid.arrange(width, { order: this.state.order, panels: this.panels, colours: coloursOf(this.state, 0) });
    this.grid.paint(this.canvas, this.panels.indexOf(this.state.panel));
  }

  /** Whether its tools are shown, and `focus`: the cursor goes to it. */
  shown(yes: boolean, focus: boolean): void {
    if (this.order) {
      show(this.order, yes);
    }
    if (yes && focus) {
      this.canvas.focus();
      this.frame.say(this.state.panel < 0 ? '' : this.tell(this.panels.indexOf(this.state.panel)));
    }
  }
}
