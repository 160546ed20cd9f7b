/** What browsers make canvases of: a longer side or a larger area stays blank. */
const MOST_SIDE = 16384;
const MOST_AREA = 1 << 26;

/** Pixels of the canvas for one of CSS; throws where not even the canvas itself can be had. */
export function ratioOf(width: number, height: number): number {
  const most = Math.min(MOST_SIDE / Math.max(width, height), Math.sqrt(MOST_AREA / (width * height)));
  if (most < 1) {
    throw new Error(`a picture of ${Math.round(width)} × ${Math.round(height)} pixels is too large`);
  }
  return Math.min(window.devicePixelRatio || 1, 3, most);
}

/** A canvas in CSS pixels, sharp on every screen where it is not too large for that. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = ratioOf(width, height);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) {
    throw new Error('this browser draws no canvas');
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** As much of the text as fits, with an ellipsis. */
export function clip(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) {
    return text;
  }
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    context.measureText(text.slice(0, middle) + '…').width <= width ? (low = middle) : (high = middle - 1);
  }
  return text.slice(0, low) + '…';
}

/** A value in few characters, as the kernel's pictures write it. */
export function brief(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value === 0 ? '0' : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? String(+value.toPrecision(3)) : value.toExponential(2);
}
