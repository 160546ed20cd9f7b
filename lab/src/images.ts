/** Gives the pictures that the application draws itself their alternative text: its renderer leaves it out. */
import type { CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

const BARE = '.jp-RenderedImage img:not([alt])';

/** What the output that holds the image says of it: its metadata, else its text. */
function textOf(notebook: NotebookPanel, image: Element): string {
  for (const cell of notebook.content.widgets) {
    const area = cell.model.type === 'code' ? (cell as CodeCell).outputArea : null;
    const at = area?.widgets.findIndex(widget => widget.node.contains(image)) ?? -1;
    if (area && at >= 0) {
      const { data, metadata } = area.model.get(at);
      const own = (metadata['image/png'] as { alt?: unknown } | undefined)?.alt;
      return String(own ?? data['text/plain'] ?? '');
    }
  }
  return '';
}

function follow(notebook: NotebookPanel): void {
  const describe = () => {
    for (const image of notebook.content.node.querySelectorAll(BARE)) {
      const text = textOf(notebook, image);
      if (text) {
        image.setAttribute('alt', text);
      }
    }
  };
  const watcher = new MutationObserver(changes => changes.some(change => change.addedNodes.length > 0) && describe());
  watcher.observe(notebook.content.node, { childList: true, subtree: true });
  notebook.disposed.connect(() => watcher.disconnect());
  describe();
}

export function followImages(tracker: INotebookTracker): void {
  tracker.forEach(follow);
  tracker.widgetAdded.connect((_, notebook) => follow(notebook));
}
