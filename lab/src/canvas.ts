/** A canvas in CSS pixels, sharp on every screen. */
export function fit(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = Math.min(window.devicePixelRatio || 1, 3);
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
