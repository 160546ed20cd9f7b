/** What the reader has chosen; it outlives a new theme, width or language. */
import type { Figure } from '../figure.js';
import type { Place } from './heatmap_matrix.js';
import { PLAIN } from './heatmap_order.js';
import type { Range } from './heatmap_paint.js';

/** One scale for all panels, one for each, or one for each by the square root, where small values differ too. */
export type Colours = 'same' | 'own' | 'root';

export interface State {
  order: string;
  /** null: what suits. */
  colours: Colours | null;
  /** The panel that is seen alone; -1: the overview. */
  open: number;
  /** The panel under the cursor in the overview; -1: none. */
  panel: number;
  lines: boolean;
  hide: boolean;
  /** Hundredths of the scale below which links are not drawn; 0: what suits. */
  threshold: number;
  /** Places before pooling. */
  at: Place | null;
  pinnedRow: number;
  pinnedColumn: number;
  zoom: Range | null;
  chosen: Range | null;
}

const STATES = new WeakMap<Figure, State>();

export function stateOf(figure: Figure, panels: number): State {
  const state = STATES.get(figure) ?? {
    order: PLAIN,
    colours: null,
    open: panels === 1 ? 0 : -1,
    panel: -1,
    lines: false,
    hide: false,
    threshold: 0,
    at: null,
    pinnedRow: -1,
    pinnedColumn: -1,
    zoom: null,
    chosen: null
  };
  STATES.set(figure, state);
  return state;
}

/** A control of the tool row with its label. */
export function show(control: HTMLElement, yes: boolean): void {
  const tool = control.closest<HTMLElement>('.cutaway-tool') ?? control;
  tool.hidden = !yes;
}

/** More cells than this have mostly small values. */
const MANY_CELLS = 64 * 64;

/** How the panel that is open, or the overview, is coloured. */
export function coloursOf(state: State, cells: number): Colours {
  const suits = state.open < 0 ? 'same' : cells > MANY_CELLS ? 'root' : state.hide ? 'own' : 'same';
  return state.colours ?? suits;
}
