/** The cell language in CodeMirror 6, and .cut files. */
import { LanguageSupport, StreamLanguage } from '@codemirror/language';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

export const language: JupyterFrontEndPlugin<void> = {
  id: 'cutaway-lab:language',
  autoStart: true,
  requires: [IEditorLanguageRegistry],
  activate: (app, languages: IEditorLanguageRegistry) => {
    languages.addLanguage({
      name: 'cutaway',
      displayName: 'Cutaway',
      mime: 'text/x-cutaway',
      extensions: ['cut'],
      support: new LanguageSupport(
        StreamLanguage.define<null>({
          name: 'cutaway',
          token: stream => {
            const found = stream.sol() && stream.match(/^%%?\w+/);
            if (found) {
              return 'keyword';
            }
            stream.next();
            return null;
          },
          languageData: { commentTokens: { line: '#' } }
        })
      )
    });
    app.docRegistry.addFileType({ name: 'cutaway', displayName: 'Cutaway', extensions: ['.cut'], mimeTypes: ['text/x-cutaway'] });
  }
};
