/** Turning points in three dimensions, as core/draw/view.c looks at them: from 35 degrees to the side and 22 above at first. */

export const SIDE = (35 * Math.PI) / 180;
export const UP = (22 * Math.PI) / 180;
/** How far the eye is, in half sides of the box. */
export const DISTANCE = 4.5;

/** Row by row: across, up, back. Its rows are of length 1 and at right angles, so that no distance changes. */
export function rotation(side: number, up: number): Float64Array {
  const [s, c] = [Math.sin(side), Math.cos(side)];
  const [t, d] = [Math.sin(up), Math.cos(up)];
  return Float64Array.of(c, -s, 0, s * t, c * t, d, s * d, c * d, -t);
}

/** Where a point is seen: across and up as shares of half the box, and how far behind its middle. */
export function seen(m: Float64Array, x: number, y: number, z: number): [number, number, number] {
  const back = m[6] * x + m[7] * y + m[8] * z;
  const near = DISTANCE / Math.max(0.2, DISTANCE + back);
  return [(m[0] * x + m[1] * y + m[2] * z) * near, (m[3] * x + m[4] * y + m[5] * z) * near, back];
}
