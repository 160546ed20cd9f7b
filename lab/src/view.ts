/**
 * A view: one kind of figure alive under the mouse and the keyboard. One file in `kinds/`, one line in `views.ts`.
 *
 * The frame (`frame.ts`) gives every view its title, finding, read-out, tools, table and provenance; the view fills
 * `host` and says values by `frame.say`. Nothing here knows JupyterLab: the same files run in the tests' bare page.
 * Text from a figure goes into the page by `textContent` or a canvas alone, never as HTML.
 */
import type { Figure } from './figure.js';
import type { Look } from './look.js';
import type { Words } from './words.js';

/** The living kernel, where there is one: `core/` computed the figure and still has its exact numbers. */
export interface Kernel {
  /** The numbers of a series of the result, with the leading axes fixed: exact float32, and the shape that is left. */
  tile(result: string, series: string, at: readonly number[]): Promise<{ shape: number[]; values: Float32Array }>;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** What the frame does for a view. Labels are shown as they are: translate them first, by `words`. */
export interface Frame {
  readonly figure: Figure;
  readonly host: HTMLElement;
  readonly words: Words;
  readonly look: Look;
  readonly kernel: Kernel | null;
  /** Shows in the read-out line what is under the mouse or the keyboard, and says it to screen readers; '' clears it. */
  say(text: string): void;
  /** A named menu, switch, slider or button in the tool row. `change` is called at once by none of them. */
  menu(label: string, choices: readonly Choice[], value: string, change: (value: string) => void): HTMLSelectElement;
  toggle(label: string, on: boolean, change: (on: boolean) => void): HTMLButtonElement;
  slider(label: string, range: { low: number; high: number; step: number; value: number }, show: (value: number) => string, change: (value: number) => void): HTMLInputElement;
  button(label: string, act: () => void): HTMLButtonElement;
  search(label: string, change: (text: string) => void): HTMLInputElement;
  /** A canvas as large as `width` x `height` CSS pixels on a sharp screen, with a name for screen readers; focusable. */
  canvas(name: string): HTMLCanvasElement;
}

export interface View {
  /** Draws again, for a new width (CSS pixels), theme or language. Called once after `make`. Under 200 ms, always. */
  draw(width: number): void;
  dispose?(): void;
}

/** Throws with a sentence where the figure is not what its kind says: the frame then shows the picture instead. */
export type MakeView = (frame: Frame) => View;
