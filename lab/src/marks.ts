/** Categories by colour and by shape, so that none is told by its colour alone. */
import { formatColour, ramp, type Look } from './look.js';
import type { Reader } from './reader.js';

/** Those of core/draw/colour.c; the last is the grey of all others. */
const LIGHT = ['#0068a8', '#e08a00', '#7ca0e0', '#141378', '#766701', '#622a39', '#b4711e', '#478a87', '#c050dd', '#9097a0'];
/** Those of the dark paper: searched as those were, and all light enough to be seen there (3:1), which turning lightness about would not do. */
const DARK = ['#4898ce', '#fb9818', '#f0eef9', '#7f58eb', '#aab38e', '#845570', '#e06649', '#8ccde2', '#dd62ff', '#9097a0'];
export const CATEGORIES = LIGHT.length;

export function category(look: Look, i: number): string {
  return (look.dark ? DARK : LIGHT)[i < CATEGORIES ? i : CATEGORIES - 1];
}

/** The ramp of values of core/draw/colour.c: what a figure that does not carry its own is coloured by. */
const RAMP = ['#f9fbf6', '#c6e5d1', '#86cec2', '#45b3bd', '#0594b6', '#0f72a6', '#275189', '#2a3463', '#211d39'];

/** 256 pixels from nearly the paper to what stands out most. `from`: where the palest one lies on the figure's ramp. */
export function valueRamp(reader: Reader, look: Look, from = 0): Uint32Array {
  const colours = reader.has('colours') ? reader.texts('colours') : RAMP;
  const whole = ramp(colours.length > 1 ? colours : RAMP, look);
  return whole.map((_pixel, i) => whole[Math.round(255 * from + (1 - from) * i)]);
}

/** A pixel of a ramp as a colour. */
export function colourOf(pixel: number): string {
  return formatColour([pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]);
}

type Corners = readonly (readonly [number, number])[];

function star(points: number, inner: number): Corners {
  return Array.from({ length: 2 * points }, (_none, i) => {
    const far = i % 2 ? inner : 1;
    return [far * Math.sin((Math.PI * i) / points), -far * Math.cos((Math.PI * i) / points)] as const;
  });
}

function cross(arm: number): Corners {
  return [[-arm, -1], [arm, -1], [arm, -arm], [1, -arm], [1, arm], [arm, arm], [arm, 1], [-arm, 1], [-arm, arm], [-1, arm], [-1, -arm], [-arm, -arm]];
}

function turned(corners: Corners): Corners {
  return corners.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2] as const);
}

/** Corners with a radius of 1, and how much larger each is drawn to weigh as much as the disc. */
const SHAPES: readonly { readonly corners: Corners; readonly size: number }[] = [
  { corners: [], size: 1 },
  { corners: [[-1, -1], [1, -1], [1, 1], [-1, 1]], size: 0.88 },
  { corners: [[0, -1], [0.95, 0.75], [-0.95, 0.75]], size: 1.25 },
  { corners: [[0, -1], [1, 0], [0, 1], [-1, 0]], size: 1.3 },
  { corners: [[0, 1], [0.95, -0.75], [-0.95, -0.75]], size: 1.25 },
  { corners: cross(0.33), size: 1.2 },
  { corners: turned(cross(0.33)), size: 1.2 },
  { corners: star(5, 0.45), size: 1.45 },
  { corners: [[-0.55, -1.1], [0.55, -1.1], [0.55, 1.1], [-0.55, 1.1]], size: 1.1 },
  { corners: [], size: 0.8 }
];

/** Adds the shape of a category to the path. */
export function trace(context: CanvasRenderingContext2D, shape: number, x: number, y: number, radius: number): void {
  const { corners, size } = SHAPES[Math.min(shape, SHAPES.length - 1)];
  const r = radius * size;
  if (!corners.length) {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  corners.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx * r, y + dy * r) : context.moveTo(x + dx * r, y + dy * r)));
  context.closePath();
}

/** How much of each pixel a shape covers, 0 to 255, on a square of `side` pixels whose middle it has. */
export interface Stamp {
  readonly side: number;
  readonly cover: Uint8Array;
}

export function stampOf(shape: number, radius: number): Stamp {
  const side = 2 * Math.ceil(radius * 1.5 + 1) + 1;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) {
    throw new Error('this browser draws no canvas');
  }
  context.beginPath();
  trace(context, shape, side / 2, side / 2, radius);
  context.fill();
  const pixels = context.getImageData(0, 0, side, side).data;
  return { side, cover: Uint8Array.from({ length: side * side }, (_none, i) => pixels[4 * i + 3]) };
}
