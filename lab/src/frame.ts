/** The frame round every view: title, finding, tools, read-out, caption, provenance; redraws on width, theme, language. */
import { readFigure, type Figure } from './figure.js';
import { makeLook } from './look.js';
import type { Choice, Frame, Kernel, MakeView, View } from './view.js';
import { makeWords } from './words.js';

export interface Around {
  readonly dark: boolean;
  readonly still: boolean;
  /** The language of the reader; '' leaves the figure's own. */
  readonly language: string;
  readonly kernel: Kernel | null;
}

/** An element with a class of ours and a text, which is shown as it is. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = `cutaway-${name}`;
  made.textContent = text;
  return made;
}

let labels = 0;

function labelled<E extends HTMLElement>(tools: HTMLElement, label: string, control: E): E {
  const name = element('label', 'label', label);
  control.id = `cutaway-control-${++labels}`;
  name.htmlFor = control.id;
  const pair = element('span', 'tool');
  pair.append(name, control);
  tools.append(pair);
  return control;
}

/** A figure on the page. `change` when the theme or the language changes; `dispose` when it goes. */
export class FramedView {
  readonly node = element('div', 'figure mathjax_ignore tex2jax_ignore');
  private readonly figure: Figure;
  private readonly resize: ResizeObserver;
  private view: View | null = null;
  private width = 0;
  private queued = 0;

  /** Throws where the figure is not what its schema says; `failed` is called where it cannot be drawn later on. */
  constructor(data: unknown, private readonly make: MakeView, private around: Around, private readonly failed: (error: unknown) => void = error => { throw error; }) {
    this.figure = readFigure(data);
    this.resize = new ResizeObserver(() => this.settle());
    this.build();
    this.resize.observe(this.node);
  }

  change(around: Around): void {
    this.around = around;
    this.guarded(() => this.build());
  }

  private guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.failed(error);
    }
  }

  dispose(): void {
    this.resize.disconnect();
    cancelAnimationFrame(this.queued);
    this.view?.dispose?.();
  }

  private build(): void {
    this.view?.dispose?.();
    const words = makeWords(this.around.language || this.figure.language);
    const look = makeLook(this.around.dark, this.around.still);
    const title = element('div', 'title', this.figure.title);
    const tools = element('div', 'tools');
    const host = element('div', 'host');
    const said = element('div', 'said');
    said.setAttribute('role', 'status');
    said.id = `cutaway-said-${++labels}`;
    const caption = element('p', 'caption', this.figure.caption);
    this.node.dataset.lmSuppressShortcuts = 'true'; // arrows, Enter and 0 are the view's here, not the notebook's
    this.node.setAttribute('role', 'figure');
    this.node.setAttribute('aria-label', this.figure.alt || this.figure.title);
    this.node.lang = this.figure.language;
    this.node.classList.toggle('cutaway-dark', look.dark);
    this.node.style.color = look.ink;
    this.node.style.background = look.paper;
    this.node.replaceChildren(element('p', 'finding', this.figure.finding), title, element('div', 'note', this.figure.note), tools, host, said, caption, element('div', 'provenance', this.figure.provenance));
    const frame: Frame = {
      figure: this.figure,
      host,
      words,
      look,
      kernel: this.figure.result ? this.around.kernel : null,
      say: text => {
        if (said.textContent !== text) {
          said.textContent = text;
        }
      },
      menu: (label, choices, value, change) => labelled(tools, label, this.select(choices, value, change)),
      toggle: (label, on, change) => {
        const button = element('button', 'toggle', label);
        button.type = 'button';
        button.setAttribute('aria-pressed', String(on));
        button.addEventListener('click', () => {
          const now = button.getAttribute('aria-pressed') !== 'true';
          button.setAttribute('aria-pressed', String(now));
          change(now);
        });
        tools.append(button);
        return button;
      },
      slider: (label, range, show, change) => {
        const input = labelled(tools, label, element('input', 'slider'));
        Object.assign(input, { type: 'range', min: String(range.low), max: String(range.high), step: String(range.step) });
        input.value = String(range.value);
        const shown = element('output', 'shown', show(range.value));
        input.setAttribute('aria-valuetext', show(range.value));
        input.addEventListener('input', () => {
          shown.textContent = show(input.valueAsNumber);
          input.setAttribute('aria-valuetext', show(input.valueAsNumber));
          change(input.valueAsNumber);
        });
        input.after(shown);
        return input;
      },
      button: (label, act) => {
        const button = element('button', 'button', label);
        button.type = 'button';
        button.addEventListener('click', act);
        tools.append(button);
        return button;
      },
      search: (label, change) => {
        const input = labelled(tools, label, element('input', 'search'));
        input.type = 'search';
        input.addEventListener('input', () => change(input.value));
        return input;
      },
      canvas: name => {
        const canvas = element('canvas', 'canvas');
        canvas.tabIndex = 0;
        canvas.setAttribute('role', 'img');
        canvas.setAttribute('aria-label', name);
        canvas.setAttribute('aria-describedby', said.id);
        return canvas;
      }
    };
    this.view = this.make(frame);
    this.width = 0;
    this.settle();
  }

  private select(choices: readonly Choice[], value: string, change: (value: string) => void): HTMLSelectElement {
    const select = element('select', 'menu');
    for (const choice of choices) {
      select.add(new Option(choice.label, choice.value, false, choice.value === value));
    }
    select.addEventListener('change', () => change(select.value));
    return select;
  }

  /** Draws at the width that there is, once a frame at most. */
  private settle(): void {
    cancelAnimationFrame(this.queued);
    this.queued = requestAnimationFrame(() => {
      const width = Math.floor(this.node.clientWidth - 16);
      if (width > 0 && width !== this.width) {
        this.width = width;
        this.guarded(() => this.view?.draw(width));
      }
    });
  }
}
