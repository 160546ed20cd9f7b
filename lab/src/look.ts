/** Colours of a view in the light and the dark theme; what the kernel's pictures do in core/draw/colour.c. */

export interface Look {
  readonly dark: boolean;
  /** The reader asked for less motion: nothing moves by itself. */
  readonly still: boolean;
  readonly paper: string;
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly grid: string;
  readonly accent: string;
  readonly font: string;
  /** A colour of the light theme (#rrggbb) as this theme shows it. */
  shade(rgb: string): string;
}

type Triple = [number, number, number];

function toLinear(byte: number): number {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function toByte(c: number): number {
  const s = c <= 0.0031308 ? 12.92 * c : 1.055 * Math.max(c, 0) ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, s)));
}

/** OKLab (Ottosson 2020). */
function toLab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s
  ];
}

function fromLab([L, a, b]: Triple): Triple {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s
  ];
}

export function parseColour(rgb: string): Triple {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(rgb);
  return found ? [parseInt(found[1], 16), parseInt(found[2], 16), parseInt(found[3], 16)] : [128, 128, 128];
}

export function formatColour(rgb: readonly number[]): string {
  return '#' + rgb.map(byte => Math.round(byte).toString(16).padStart(2, '0')).join('');
}

/** The same hue with its lightness turned about: white paper becomes the dark theme's, ink becomes light. */
function darken(rgb: string): string {
  const [L, a, b] = toLab(parseColour(rgb).map(toLinear) as Triple);
  return formatColour(fromLab([0.2 + 0.79 * (1 - L), a, b]).map(toByte));
}

const FONT = "'DejaVu Sans', 'WenQuanYi Micro Hei', 'Noto Sans CJK SC', system-ui, sans-serif";

export function makeLook(dark: boolean, still: boolean): Look {
  const shade = dark ? darken : (rgb: string) => rgb;
  return {
    dark,
    still,
    paper: shade('#ffffff'),
    ink: shade('#1f2328'),
    quiet: shade('#59636e'),
    line: shade('#c4cad1'),
    grid: shade('#e8ebee'),
    accent: dark ? '#ff9f40' : '#c2410c',
    font: FONT,
    shade
  };
}

/** A ramp of colours given at equal steps from 0 to 1, as 256 packed pixels (little endian RGBA) for ImageData. */
export function ramp(colours: readonly string[], look: Look): Uint32Array {
  const stops = colours.map(colour => parseColour(look.shade(colour)));
  return Uint32Array.from({ length: 256 }, (_none, i) => {
    const at = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const [r, g, b] = [0, 1, 2].map(c => Math.round(stops[low][c] + (at - low) * (stops[low + 1][c] - stops[low][c])));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** Black or white, whichever is easier to read on the colour (WCAG 2.1). */
export function textOn(rgb: string): string {
  const [r, g, b] = parseColour(rgb).map(toLinear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000000' : '#ffffff';
}
