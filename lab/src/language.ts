/** The cell language in CodeMirror 6, cut as kernel/cell/cell.c cuts it, and .cut files. */
import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting, type StreamParser, type StringStream } from '@codemirror/language';
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { LabIcon } from '@jupyterlab/ui-components';
import { tags } from '@lezer/highlight';
import { COMMANDS, type Command } from './keywords.js';
import logo from '../../kernelspec/logo-svg.svg';

export const icon = new LabIcon({ name: 'cutaway:logo', svgstr: logo });

type Values = Command['options'][string];

export interface State {
  /** No command has been seen yet: %% may still come. */
  first: boolean;
  /** What lies below a %% line is its text. */
  body: boolean;
  /** The command of this line; null where it is not one, or not known. */
  command: Command | null;
  inCommand: boolean;
  /** What may stand next: the value of this option. */
  wanted: Values | null;
  /** Behind a lone -- nothing is an option. */
  options: boolean;
  words: number;
}

const BLANKS = /^[ \t\u00a0\u3000]+/;
const CHUNK = /^(?:\\.|[^\s"'\\\u3000])+|^\\/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const LIST = /^-?\d+(?:--?\d+)?(?:,-?\d+(?:--?\d+)?)*$/;

function own<T>(table: Readonly<Record<string, T>>, name: string): T | null {
  return Object.prototype.hasOwnProperty.call(table, name) ? table[name] : null;
}

function begin(): State {
  return { first: true, body: false, command: null, inCommand: false, wanted: null, options: true, words: 0 };
}

/** The name behind % or %%, up to a question mark at its end. */
function readName(stream: StringStream, state: State): string {
  const marks = (stream.match(/^%+/) as RegExpMatchArray)[0].length;
  const name = (stream.match(/^[^ \t\u00a0\u3000]*?(?=\??(?:[ \t\u00a0\u3000]|$))/) as RegExpMatchArray)[0];
  const asks = stream.peek() === '?';
  const known = own(COMMANDS, name);
  const fits = known && (asks || (marks === 2 ? known.body && state.first : !known.body || known.bare));
  Object.assign(state, { command: known, inCommand: true, wanted: null, options: true, words: 0, body: marks === 2, first: false });
  return fits && marks <= 2 ? (marks === 2 ? 'keyword' : 'variableName.standard') : 'invalid';
}

/** A value for which the table says what may stand there. */
function styleOf(text: string, wanted: Values): string {
  if (typeof wanted === 'object') {
    return wanted.includes(text) ? 'string' : 'invalid';
  }
  if (wanted === 'int' || wanted === 'list') {
    return text === 'all' && wanted === 'list' ? 'number' : (wanted === 'int' ? /^-?\d+$/ : LIST).test(text) ? 'number' : 'invalid';
  }
  return NUMBER.test(text) ? 'number' : 'string';
}

function readOption(stream: StringStream, state: State): string {
  const name = (stream.match(/^--[^ \t\u00a0\u3000=]*/) as RegExpMatchArray)[0].slice(2);
  if (!name) {
    state.options = stream.peek() === '=';
    state.wanted = null;
    return 'operator';
  }
  const known = state.command && own(state.command.options, name);
  state.wanted = known === 'switch' ? null : known;
  if (!known && (stream.peek() !== '=' || !state.command)) {
    state.wanted = 'text';
  }
  return known || !state.command ? 'attributeName' : 'invalid';
}

/** A word that is no option: a subcommand, another command's name, or what it is about. */
function readWord(stream: StringStream, state: State): string | null {
  const quoted = stream.match(/^"(?:\\["\\]|[^"])*"?|^'[^']*'?/) as RegExpMatchArray | null;
  const text = quoted ? '' : (stream.match(CHUNK) as RegExpMatchArray)[0];
  const ends = stream.eol() || BLANKS.test(stream.peek() as string);
  const { wanted } = state;
  if (wanted) {
    state.wanted = ends ? null : wanted;
    return quoted ? 'string' : styleOf(text, wanted);
  }
  const first = state.words === 0;
  state.words += ends ? 1 : 0;
  if (quoted) {
    return 'string';
  }
  if (first && ends && state.command?.subcommands.length) {
    return state.command.subcommands.includes(text) ? 'propertyName' : 'invalid';
  }
  return NUMBER.test(text) ? 'number' : null;
}

function readCommandLine(stream: StringStream, state: State): string | null {
  if (stream.match(BLANKS)) {
    return null;
  }
  if (stream.match(/^\?(?=[ \t\u00a0\u3000]|$)/) && state.words === 0) {
    return 'operator';
  }
  if (state.options && stream.match(/^--/, false)) {
    return readOption(stream, state);
  }
  if (state.wanted && stream.match(/^=/)) {
    return 'operator';
  }
  return readWord(stream, state);
}

/** The text of a %% command is anybody's; only >> says something, to models that read one side and write the other. */
function readText(stream: StringStream): string | null {
  if (stream.match('>>')) {
    return 'operator';
  }
  if (!stream.skipTo('>>')) {
    stream.skipToEnd();
  }
  return null;
}

/** `script`: a file, in which lines "# %%" stand between the cells. */
export function parser(script: boolean): StreamParser<State> {
  return {
    name: 'cutaway',
    startState: begin,
    token: (stream, state) => {
      if (stream.sol()) {
        state.inCommand = false;
        if (script && stream.match(/^# %%/)) {
          Object.assign(state, begin());
          stream.skipToEnd();
          return 'comment';
        }
      }
      if (state.inCommand) {
        return readCommandLine(stream, state);
      }
      if (state.body) {
        return readText(stream);
      }
      if (stream.match(BLANKS)) {
        return null;
      }
      if (stream.peek() === '%') {
        return readName(stream, state);
      }
      const comment = stream.peek() === '#';
      stream.skipToEnd();
      return comment ? 'comment' : 'invalid';
    },
    languageData: { commentTokens: { line: '#' } }
  };
}

/** What the kernel would refuse is underlined, as the application's theme has no look for it. */
const refused = HighlightStyle.define([{ tag: tags.invalid, class: 'cutaway-refused' }]);

function support(script: boolean): LanguageSupport {
  return new LanguageSupport(StreamLanguage.define(parser(script)), syntaxHighlighting(refused));
}

export const language: JupyterFrontEndPlugin<void> = {
  id: 'cutaway-lab:language',
  description: 'Colours cells and .cut files.',
  autoStart: true,
  requires: [IEditorLanguageRegistry],
  activate: (app, languages: IEditorLanguageRegistry) => {
    languages.addLanguage({ name: 'cutaway', displayName: 'Cutaway', mime: 'text/x-cutaway', support: support(false) });
    languages.addLanguage({ name: 'cutaway-script', displayName: 'Cutaway (.cut)', mime: 'text/x-cutaway-script', extensions: ['cut'], support: support(true) });
    app.docRegistry.addFileType({ name: 'cutaway', displayName: 'Cutaway', extensions: ['.cut'], mimeTypes: ['text/x-cutaway-script'], icon });
  }
};
