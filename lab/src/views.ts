/** Which kinds of figures have a view. The MIME type of a kind is application/vnd.cutaway.KIND.v1+json. */
import type { MakeView } from './view.js';
import { architecture } from './kinds/architecture.js';
import { bars } from './kinds/bars.js';
import { choices } from './kinds/choices.js';
import { heatmap } from './kinds/heatmap.js';
import { histogram } from './kinds/histogram.js';
import { lines } from './kinds/lines.js';
import { scatter } from './kinds/scatter.js';
import { table } from './kinds/table.js';
import { tokens } from './kinds/tokens.js';
import { tracks } from './kinds/tracks.js';

export const VIEWS: Readonly<Record<string, MakeView>> = { architecture, bars, choices, heatmap, histogram, lines, scatter, table, tokens, tracks };

export function mimeOf(kind: string): string {
  return `application/vnd.cutaway.${kind}.v1+json`;
}
