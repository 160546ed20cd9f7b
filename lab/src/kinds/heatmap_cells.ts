/** The cells of one panel: colours, lines between them, numbers in them; what is not a number is crossed out. */
import { textOn, type Look } from '../look.js';
import { picture, type Palette } from './heatmap_paint.js';
import type { Sight } from './heatmap_sight.js';

/** Where the range of a sight is drawn. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly cellX: number;
  readonly cellY: number;
}

/** Cells at least so large have lines between them. */
const LINED = 9;

export function drawCells(context: CanvasRenderingContext2D, box: Box, sight: Sight, palette: Palette, look: Look): void {
  const { range } = sight;
  const ratio = context.getTransform().a;
  const width = (range.right - range.left) * box.cellX;
  const height = (range.bottom - range.top) * box.cellY;
  const image = picture(sight.values, sight.panel.columns, range, palette, sight.ends, height * ratio, width * ratio);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, box.left, box.top, width, height);
  drawLines(context, box, sight, look);
  drawNumbers(context, box, sight, palette, look);
  drawMissing(context, box, sight, look);
  context.strokeStyle = look.line;
  context.lineWidth = 1;
  context.strokeRect(box.left - 0.5, box.top - 0.5, width + 1, height + 1);
}

function drawLines(context: CanvasRenderingContext2D, box: Box, { range }: Sight, look: Look): void {
  const [rows, columns] = [range.bottom - range.top, range.right - range.left];
  context.fillStyle = look.paper;
  for (let c = 1; c < columns && box.cellX >= LINED; c++) {
    context.fillRect(box.left + c * box.cellX - 0.5, box.top, 1, rows * box.cellY);
  }
  for (let r = 1; r < rows && box.cellY >= LINED; r++) {
    context.fillRect(box.left, box.top + r * box.cellY - 0.5, columns * box.cellX, 1);
  }
}

function drawNumbers(context: CanvasRenderingContext2D, box: Box, sight: Sight, palette: Palette, look: Look): void {
  const { ends } = sight;
  const decimals = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(ends.high - ends.low) + 1e-9)));
  const size = Math.min(10, box.cellX * 0.4, box.cellY * 0.5);
  context.font = `${size}px ${look.font}`;
  if (size < 8 || context.measureText((ends.low < 0 ? -ends.high : ends.high).toFixed(decimals)).width > box.cellX - 2) {
    return;
  }
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  each(box, sight, (value, x, y) => {
    if (Number.isFinite(value)) {
      context.fillStyle = textOn(palette.css(value, ends));
      context.fillText(value.toFixed(decimals).replace(/^-(0\.?0*)$/, '$1'), x + box.cellX / 2, y + box.cellY / 2, box.cellX - 2);
    }
  });
}

/** A cross, so that it is not told by its colour alone; a single stroke where a sink is hidden. */
function drawMissing(context: CanvasRenderingContext2D, box: Box, sight: Sight, look: Look): void {
  if (Math.min(box.cellX, box.cellY) < 4) {
    return;
  }
  context.strokeStyle = look.ink;
  context.lineWidth = 0.8;
  context.beginPath();
  each(box, sight, (value, x, y, column) => {
    if (Number.isNaN(value)) {
      context.moveTo(x + box.cellX * 0.3, y + box.cellY * 0.3);
      context.lineTo(x + box.cellX * 0.7, y + box.cellY * 0.7);
      if (!sight.hidden.has(column)) {
        context.moveTo(x + box.cellX * 0.7, y + box.cellY * 0.3);
        context.lineTo(x + box.cellX * 0.3, y + box.cellY * 0.7);
      }
    }
  });
  context.stroke();
}

function each(box: Box, { range, values, panel }: Sight, visit: (value: number, x: number, y: number, column: number) => void): void {
  for (let r = range.top; r < range.bottom; r++) {
    for (let c = range.left; c < range.right; c++) {
      visit(values[r * panel.columns + c], box.left + (c - range.left) * box.cellX, box.top + (r - range.top) * box.cellY, c);
    }
  }
}
