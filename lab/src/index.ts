/** The plugins; the renderers have an entry of their own, `mime.ts`. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { language } from './language.js';
import { panel } from './panel.js';
import { settingsPlugin } from './settings.js';

const plugins: JupyterFrontEndPlugin<void>[] = [language, settingsPlugin, panel];
export default plugins;
