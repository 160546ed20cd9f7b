/** Heat maps and grids of them: attention heads, activations, similarities. An overview of all panels, and each alone. */
import type { Frame, View } from '../view.js';
import { addChinese } from '../words.js';
import { HeatData } from './heatmap_data.js';
import { Head } from './heatmap_head.js';
import { Overview } from './heatmap_overview.js';
import { Palette } from './heatmap_paint.js';
import { coloursOf, stateOf, type Colours } from './heatmap_state.js';

addChinese({
  'colours': '颜色',
  'one scale for all': '所有图同一色标',
  'scale as given': '给定的色标',
  'own scale': '各图自己的色标',
  'own scale, square root': '自己的色标（平方根）'
});

export function heatmap(frame: Frame): View {
  const data = new HeatData(frame);
  const palette = new Palette(data.scale, frame.look);
  const state = stateOf(frame.figure, data.panels);
  let width = 0;

  const overview = new Overview(frame, data, palette, state, panel => {
    Object.assign(state, { open: panel, at: null, pinnedRow: -1, pinnedColumn: -1, zoom: null, chosen: null });
    settle(true);
  });
  const head = new Head(frame, data, palette, state, {
    leave: () => {
      state.open = -1;
      settle(true);
    },
    beside: (panel, step) => overview.beside(panel, step),
    changed: () => {
      colours.value = coloursOf(state, cells);
    }
  });
  const cells = data.rows.source * data.columns.source;
  const choices = [
    { value: 'same', label: frame.words(data.panels > 1 ? 'one scale for all' : 'scale as given') },
    { value: 'own', label: frame.words('own scale') },
    { value: 'root', label: frame.words('own scale, square root') }
  ];
  const colours = frame.menu(frame.words('colours'), choices, coloursOf(state, cells), value => {
    state.colours = value as Colours;
    redraw();
  });

  const redraw = () => {
    if (width > 0) {
      state.open < 0 ? overview.draw(width) : head.draw(width);
    }
  };
  /** Shows the overview or the one panel. */
  const settle = (focus: boolean) => {
    const alone = state.open >= 0;
    colours.value = coloursOf(state, cells);
    const part = alone ? head : overview;
    frame.host.replaceChildren(part.node);
    overview.shown(!alone, focus);
    head.shown(alone, focus);
    if (alone) {
      head.open(state.open, width);
    } else if (width > 0) {
      overview.draw(width);
    }
  };
  settle(false);
  return {
    draw(room) {
      width = room;
      redraw();
    },
    dispose: () => head.dispose()
  };
}
