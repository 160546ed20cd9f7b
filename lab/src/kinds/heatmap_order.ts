/** In which order the panels of a grid stand, and what their scores are called. */
import { brief } from '../canvas.js';
import { addChinese, type Words } from '../words.js';
import type { Choice } from '../view.js';
import type { HeatData, Score } from './heatmap_data.js';

/** What the kernel computes (core/explain/headscores.h), by its name there. */
const NAMES: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  entropy: 'entropy',
  previous: 'previous token',
  next: 'next token',
  self: 'own token',
  rests: 'sink',
  induction: 'induction'
});

addChinese({
  'order': '排序',
  'by layer and head': '按层和头',
  'by {rows} and {columns}': '按{rows}和{columns}',
  'entropy, sharpest first': '熵，最集中的在前',
  'entropy, most even first': '熵，最均匀的在前',
  '{score}, strongest first': '{score}，最强的在前',
  'entropy': '熵',
  'previous token': '前一个词元',
  'next token': '后一个词元',
  'own token': '自身',
  'sink': '汇聚点',
  'induction': '归纳',
  'nats': '奈特'
});

/** Panels in their own places. */
export const PLAIN = 'plain';
const EVEN = 'even';

function scoreName(words: Words, score: Score): string {
  return words(NAMES[score.name] ?? score.name);
}

export function orders(data: HeatData, words: Words): Choice[] {
  const plain = data.areHeads ? words('by layer and head') : words('by {rows} and {columns}', { rows: data.panelRows.title, columns: data.panelColumns.title });
  const choices: Choice[] = [{ value: PLAIN, label: plain }];
  for (const score of data.scores) {
    const entropy = score.name === 'entropy';
    choices.push({ value: score.name, label: entropy ? words('entropy, sharpest first') : words('{score}, strongest first', { score: scoreName(words, score) }) });
    if (entropy) {
      choices.push({ value: EVEN, label: words('entropy, most even first') });
    }
  }
  return choices;
}

export function scoreOf(data: HeatData, order: string): Score | undefined {
  return data.scores.find(score => score.name === (order === EVEN ? 'entropy' : order));
}

/** The panels in that order; those without a number come last. */
export function arrange(data: HeatData, order: string): number[] {
  const panels = Array.from({ length: data.panels }, (_none, i) => i);
  const values = scoreOf(data, order)?.values;
  if (!values) {
    return panels;
  }
  const sign = order === 'entropy' ? 1 : -1;
  const strength = (panel: number) => (Number.isNaN(values[panel]) ? Infinity : sign * values[panel]);
  return panels.sort((a, b) => strength(a) - strength(b) || a - b);
}

/** Three decimals are enough to compare heads. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(+value.toFixed(3)) : brief(value);
}

/** "previous token 0.998 · entropy 0.031 nats": the scores of a panel, or the one of that name. */
export function tellScores(data: HeatData, words: Words, panel: number, only?: string): string {
  return data.scores
    .filter(score => only === undefined || score.name === only)
    .map(score => `${scoreName(words, score)} ${short(score.values[panel])}${score.unit === 'nats' ? ` ${words('nats')}` : ''}`)
    .join(' · ');
}
