// samples.mjs: a figure of every kind, from the program itself.

const ENCODER = '%model load minilm\n# %%\n';
const DECODER = '%model load smollm2\n# %%\n';
const TEXT = 'The cat sat on the mat, 猫坐在垫子上 🐈 مرحبا';

/** kind: a script whose last cell sends such a figure, perhaps among others. */
export const SCRIPTS = {
  architecture: `${ENCODER}%info`,
  bars: `${DECODER}%%predict --top 8\n${TEXT}`,
  choices: `${DECODER}%%generate --max 8 --temperature 0.8 --seed 7\n${TEXT}`,
  heatmap: `${ENCODER}%%attention --layer 0-1\n${TEXT}`,
  histogram: '%model new lstm\n# %%\n%weights --view all',
  lines: `${DECODER}%%surprisal\n${TEXT}`,
  scatter: `${ENCODER}%%embed\n# animals\ncat\ndog\nhorse\n# 水果\n苹果\nbanana\ncherry`,
  table: `${ENCODER}%info blocks.0.attn.hook_q`,
  tokens: `${ENCODER}%%tokens\n${TEXT}`,
  tracks: `${ENCODER}${DECODER}%%tokens --model minilm,smollm2\n${TEXT}`
};

/** [kind, figure] of every kind in `kinds`; throws where a kind has no script or its script does not send one. */
export async function samples(figures, kinds) {
  const all = [];
  for (const kind of kinds) {
    if (!SCRIPTS[kind]) throw new Error(`samples.mjs has no script for ${kind}`);
    const figure = (await figures(SCRIPTS[kind])).find(one => one.schema === `cutaway.${kind}.v1`);
    if (!figure) throw new Error(`the script for ${kind} sends none`);
    all.push([kind, figure]);
  }
  return all;
}
