/** A line drawn by hand round points. */

/** Corners one after the other, x and y. */
type Polygon = readonly number[];

/** Whether a place lies inside: an odd number of sides crosses the ray to its right. */
export function inside(polygon: Polygon, x: number, y: number): boolean {
  let odd = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x0, y0, x1, y1] = [polygon[j], polygon[j + 1], polygon[i], polygon[i + 1]];
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) {
      odd = !odd;
    }
  }
  return odd;
}
