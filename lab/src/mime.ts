/** The renderers of our MIME types. `safe`: they draw for untrusted notebooks too, as they make no HTML from data. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { FramedView, type Around } from './frame.js';
import { surroundings } from './surroundings.js';
import { mimeOf, VIEWS } from './views.js';
import { makeWords } from './words.js';

class Renderer extends Widget implements IRenderMime.IRenderer {
  private view: FramedView | null = null;
  private around: Around = surroundings.around(this.node);
  private readonly follow = () => this.change(surroundings.around(this.node));

  constructor(private readonly kind: string) {
    super();
    this.addClass('cutaway-output');
    this.node.dataset.mimeType = mimeOf(kind);
    surroundings.listen(this.follow);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const failed = (error: unknown) => {
      this.view?.dispose();
      this.view = null;
      this.node.replaceChildren(...picture(model, error instanceof Error ? error.message : String(error)));
    };
    this.view?.dispose();
    this.view = null;
    try {
      this.around = surroundings.around(this.node);
      this.view = new FramedView(model.data[mimeOf(this.kind)], VIEWS[this.kind], this.around, failed);
      this.node.replaceChildren(this.view.node);
    } catch (error) {
      failed(error);
    }
  }

  /** Only on the page is it known in which notebook it lies, and so which kernel is behind it. */
  protected onAfterAttach(): void {
    this.follow();
  }

  private change(around: Around): void {
    const { dark, still, language, kernel } = this.around;
    if (around.dark !== dark || around.still !== still || around.language !== language || around.kernel !== kernel) {
      this.around = around;
      this.view?.change(around);
    }
  }

  dispose(): void {
    surroundings.forget(this.follow);
    this.view?.dispose();
    super.dispose();
  }
}

/** What is shown where there is no view: the picture as it was saved, or its text. */
function picture(model: IRenderMime.IMimeModel, why: string): HTMLElement[] {
  const note = document.createElement('p');
  note.textContent = makeWords(surroundings.language)('the view could not be drawn: {why}', { why });
  const png = model.data['image/png'];
  const text = document.createElement('pre');
  text.textContent = String(model.data['text/plain'] ?? '');
  if (typeof png !== 'string' || !/^[A-Za-z0-9+/=\s]+$/.test(png)) {
    return [note, text];
  }
  const image = document.createElement('img');
  image.src = `data:image/png;base64,${png}`;
  image.alt = text.textContent;
  return [note, image];
}

const extensions: IRenderMime.IExtension[] = Object.keys(VIEWS).map(kind => ({
  id: `cutaway-lab:${kind}`,
  dataType: 'json',
  rendererFactory: { safe: true, mimeTypes: [mimeOf(kind)], defaultRank: 40, createRenderer: () => new Renderer(kind) }
}));
export default extensions;
