/**
 * Gives pictures that the application draws itself the alternative text that the kernel sent with them, as metadata of
 * image/png: the application's renderer leaves it out.
 */
import type { CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

const BARE = '.jp-RenderedImage img:not([alt])';

/** What the output that holds the image says of it. */
function textOf(notebook: NotebookPanel, image: Element): string {
  for (const cell of notebook.content.widgets) {
    const area = cell.model.type === 'code' ? (cell as CodeCell).outputArea : null;
    const at = area?.widgets.findIndex(widget => widget.node.contains(image)) ?? -1;
    if (area && at >= 0) {
      const said = area.model.get(at).metadata['image/png'] as { alt?: unknown } | undefined;
      return typeof said?.alt === 'string' ? said.alt : '';
    }
  }
  return '';
}

function describe(notebook: NotebookPanel, within: Element): void {
  for (const image of within.querySelectorAll(BARE)) {
    const text = textOf(notebook, image);
    if (text) {
      image.setAttribute('alt', text);
    }
  }
}

function follow(notebook: NotebookPanel): void {
  const watcher = new MutationObserver(changes => {
    for (const within of new Set(changes.filter(change => change.addedNodes.length > 0).map(change => change.target))) {
      if (within instanceof Element) {
        describe(notebook, within);
      }
    }
  });
  watcher.observe(notebook.content.node, { childList: true, subtree: true });
  notebook.disposed.connect(() => watcher.disconnect());
  describe(notebook, notebook.content.node);
}

export function followImages(tracker: INotebookTracker): void {
  tracker.forEach(follow);
  tracker.widgetAdded.connect((_, notebook) => follow(notebook));
}
