/** Bars: a value for each name; the row under the mouse or the arrow keys is said. */
import { brief, clip, fit } from '../canvas.js';
import { Reader } from '../reader.js';
import type { Frame, View } from '../view.js';

const ROW = 22;

export function bars(frame: Frame): View {
  const reader = new Reader(frame.figure.body);
  const { shape, values } = reader.numbers('values');
  const names = reader.texts('names');
  const measure = reader.text('measure', '');
  if (names.length !== values.length || shape.length !== 2) {
    throw new Error(`${names.length} names for ${values.length} bars`);
  }
  const canvas = frame.canvas(frame.figure.alt);
  frame.host.append(canvas);
  let at = -1;
  let width = 0;

  const paint = () => {
    const context = fit(canvas, width, names.length * ROW);
    const label = Math.min(180, width / 3);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    const room = width - label - 80;
    context.font = `12px ${frame.look.font}`;
    context.textBaseline = 'middle';
    values.forEach((value, i) => {
      const y = i * ROW;
      context.fillStyle = i === at ? frame.look.accent : frame.look.shade('#0083af');
      context.fillRect(label, y + 3, (Math.abs(value) / largest) * room, ROW - 6);
      context.fillStyle = frame.look.ink;
      context.textAlign = 'right';
      context.fillText(clip(context, names[i], label - 10), label - 8, y + ROW / 2);
      context.textAlign = 'left';
      context.fillText(brief(value), label + (Math.abs(value) / largest) * room + 6, y + ROW / 2);
    });
  };
  const go = (next: number) => {
    at = Math.min(names.length - 1, Math.max(-1, next));
    frame.say(at < 0 ? '' : `${names[at]}: ${measure} ${brief(values[at])}`);
    paint();
  };
  canvas.addEventListener('mousemove', event => go(Math.floor(event.offsetY / ROW)));
  canvas.addEventListener('mouseleave', () => go(-1));
  canvas.addEventListener('keydown', event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      go(Math.max(0, at + step));
    }
  });
  return {
    draw(room) {
      width = Math.min(room, 720);
      paint();
    }
  };
}
