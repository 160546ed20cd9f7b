// colours.mjs: the colours of groups stay apart to readers without red, green or blue cones, in both themes, and are seen on
// their paper. Those of the kernel's pictures are held to the same bounds by tests/unit/test_colour.c.

/** Machado, Oliveira and Fernandes 2009, table 1, severity 1. */
const SIGHTS = [
  [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
];
const CONES = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]];
const AXES = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]];

const times = (matrix, vector) => matrix.map(row => row.reduce((sum, factor, i) => sum + factor * vector[i], 0));
const linear = colour => [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16) / 255).map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
const seen = (sight, colour) => times(AXES, times(CONES, times(sight, linear(colour)).map(c => Math.min(1, Math.max(0, c)))).map(Math.cbrt));
const apart = (one, other) => Math.min(...SIGHTS.map(sight => Math.hypot(...seen(sight, one).map((c, i) => c - seen(sight, other)[i]))));
const luminance = colour => times([[0.2126, 0.7152, 0.0722]], linear(colour))[0];

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

export default async function colours(bare, want) {
  const themes = await bare.page.evaluate(async () => {
    const [{ category, CATEGORIES }, { makeLook }] = await Promise.all([import('/lab/lib/marks.js'), import('/lab/lib/look.js')]);
    return [false, true].map(dark => ({ visible: dark ? 3 : 2.4, paper: makeLook(dark, false).paper, all: Array.from({ length: CATEGORIES }, (_none, i) => category(makeLook(dark, false), i)) }));
  });
  for (const { visible, paper, all } of themes) {
    all.forEach((one, i) => {
      want(contrast(one, paper) >= visible, `${one} is seen on ${paper}: ${contrast(one, paper)}`);
      all.slice(i + 1).forEach((other, k) => {
        const least = k === 0 ? 0.12 : i + 1 + k < 6 ? 0.1 : 0.06;
        want(apart(one, other) > least, `colours ${i} and ${i + 1 + k}, ${one} and ${other}, are ${apart(one, other).toFixed(3)} apart, not ${least}`);
      });
    });
  }
}
