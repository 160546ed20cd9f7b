/** The reader's choices: kept by JupyterLab, followed by the views, told to every kernel of ours. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IThemeManager } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import type { KernelComm } from './comm.js';
import { surroundings } from './surroundings.js';

/** In the order in which the panel shows them; what each may be is in schema/settings.json. */
export const CHOICES = {
  language: ['application', 'en', 'zh'],
  theme: ['light', 'dark'],
  colours: ['cutaway', 'viridis', 'grey']
} as const;

export type Name = keyof typeof CHOICES;
export const NAMES = Object.keys(CHOICES) as Name[];

class Settings {
  private values: Record<Name, string> = { language: 'application', theme: 'light', colours: 'cutaway' };
  private readonly listeners = new Set<(changed: Name[]) => void>();
  /** Whether the application itself speaks Chinese. */
  private chinese = false;
  private registry: ISettingRegistry.ISettings | null = null;

  async begin(registry: ISettingRegistry, id: string, chinese: boolean): Promise<void> {
    this.chinese = chinese;
    this.follow();
    this.registry = await registry.load(id);
    this.registry.changed.connect(this.follow, this);
    this.follow();
  }

  get(name: Name): string {
    return this.values[name];
  }

  async set(name: Name, value: string): Promise<void> {
    await this.registry?.set(name, value);
  }

  /** What the extension itself speaks. */
  get language(): string {
    return this.get('language') === 'application' ? (this.chinese ? 'zh' : 'en') : this.get('language');
  }

  /** Tells which settings have changed. Returns how to end that. */
  listen(listener: (changed: Name[]) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Told to a kernel that has just come: what the reader chose, so that a notebook's own %set holds where nothing was. */
  tell(comm: KernelComm): void {
    for (const name of NAMES) {
      if (this.get(name) !== CHOICES[name][0] || (name === 'language' && this.chinese)) {
        this.send(comm, name);
      }
    }
  }

  /** A kernel that cannot be told now is told when it comes back. */
  send(comm: KernelComm, name: Name): void {
    comm.set(name, name === 'language' ? this.language : this.get(name)).catch(() => undefined);
  }

  private follow(): void {
    const before = { ...this.values, spoken: surroundings.language };
    for (const name of NAMES) {
      const value = this.registry?.composite[name];
      this.values[name] = CHOICES[name].find(choice => choice === value) ?? CHOICES[name][0];
    }
    surroundings.language = this.get('language') === 'application' && !this.chinese ? '' : this.language;
    const changed = NAMES.filter(name => this.values[name] !== before[name]);
    if (before.spoken !== surroundings.language) {
      surroundings.changed();
    }
    if (changed.length > 0) {
      this.listeners.forEach(listener => listener(changed));
    }
  }
}

export const settings = new Settings();

export const settingsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'cutaway-lab:settings',
  description: 'Language, theme and colours of Cutaway\'s pictures.',
  autoStart: true,
  requires: [ISettingRegistry],
  optional: [ITranslator, IThemeManager],
  activate: async (_app: JupyterFrontEnd, registry: ISettingRegistry, translator: ITranslator | null, themes: IThemeManager | null) => {
    themes?.themeChanged.connect(() => surroundings.changed());
    window.matchMedia('(prefers-reduced-motion: reduce)').addEventListener('change', () => surroundings.changed());
    await settings.begin(registry, settingsPlugin.id, /^zh/i.test(translator?.languageCode ?? ''));
  }
};
