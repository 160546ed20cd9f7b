/** Puts a command where the reader writes: into the active cell if it is empty, else into a new one below it. */
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';

/** A word as the cell parser reads it back. */
export function word(text: string): string {
  const line = text.replace(/[\r\n]+/g, ' ');
  return /^[^\s"'\\\u3000]+$/.test(line) ? line : `"${line.replace(/["\\]/g, '\\$&')}"`;
}

export async function insert(notebook: NotebookPanel, command: string): Promise<void> {
  const { content } = notebook;
  const active = content.activeCell;
  if (!active || active.model.type !== 'code' || active.model.sharedModel.getSource().trim() !== '') {
    NotebookActions.insertBelow(content);
  }
  const cell = content.activeCell;
  if (!cell) {
    return;
  }
  cell.model.sharedModel.setSource(command);
  notebook.activate();
  await content.scrollToItem(content.activeCellIndex);
  await cell.ready;
  await new Promise(drawn => requestAnimationFrame(drawn)); /* activating has put the focus on the cell by then */
  if (content.activeCell === cell && !cell.isDisposed) {
    content.mode = 'edit';
    cell.editor?.setCursorPosition(cell.editor.getPositionAt(command.length) ?? { line: 0, column: 0 });
    cell.editor?.focus();
  }
}
