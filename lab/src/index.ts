import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { language } from './language.js';

const plugins: JupyterFrontEndPlugin<unknown>[] = [language];
export default plugins;
