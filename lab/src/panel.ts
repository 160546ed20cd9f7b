/** The side panel: what the kernel of the notebook in front has loaded, keeps and is doing. */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { Widget } from '@lumino/widgets';
import type { KernelComm, KernelEvent, KeptResult, Model, Progress, Site, State } from './comm.js';
import { element } from './frame.js';
import { followImages } from './images.js';
import { insert, word } from './insert.js';
import { icon } from './language.js';
import { Kernels } from './panel-kernels.js';
import { CHOICES, NAMES, settings, type Name } from './settings.js';
import { Tree, type Item } from './tree.js';
import { addChinese, makeWords, type Words } from './words.js';

addChinese({
  'Models and sites': '模型与位点',
  'Results': '结果',
  'Running': '正在运行',
  'Settings': '设置',
  'Show Cutaway: models, results, running work': '显示 Cutaway：模型、结果、正在运行的单元格',
  'Stop': '停止',
  'Nothing is running.': '没有正在运行的单元格。',
  'No model is loaded. %model load NAME loads one.': '还没有载入模型。用 %model load 名称 载入。',
  'No result is kept yet.': '还没有保存的结果。',
  'Open a notebook whose kernel is Cutaway.': '请打开一个以 Cutaway 为内核的笔记本。',
  'The kernel has ended.': '内核已结束。',
  '{mapped} mapped, {parameters} parameters': '映射 {mapped}，{parameters} 个参数',
  'in use': '使用中',
  'the last one': '最近一个',
  'block {layer}': '第 {layer} 块',
  'decoder block {layer}': '解码器第 {layer} 块',
  'layer {layer}': '第 {layer} 层',
  'reading…': '读取中…',
  'inserts {command}': '插入 {command}',
  '{seconds} s': '{seconds} 秒',
  'about {seconds} s left': '约剩 {seconds} 秒',
  '{done} of {total}': '{done}/{total}',
  'Language': '语言',
  'Theme of saved pictures': '保存图片的主题',
  'Colour map': '配色',
  'as the application': '随应用程序',
  'light': '浅色',
  'dark': '深色',
  'grey': '灰度'
});

const SHOW = 'cutaway:show-panel';

const LABELS: Record<Name, string> = { language: 'Language', theme: 'Theme of saved pictures', colours: 'Colour map' };
/** Names that are words of a language; the others (cutaway, viridis) are names in all of them. */
const SHOWN: Record<string, string> = { application: 'as the application', en: 'English', zh: '中文' };

const STEPS: readonly [number, string][] = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** Bytes or numbers as people read them. */
function short(value: number, unit = ''): string {
  const [size, letter] = STEPS.find(([least]) => value >= least) ?? [1, ''];
  return `${size === 1 ? value : (value / size).toPrecision(3)} ${letter}${unit}`.trim();
}

/** "blocks.3" of "blocks.3.attn.hook_q"; '' where a site belongs to no layer. */
function blockOf(site: Site): string {
  return /^(.*?\d+)\./.exec(site.name)?.[1] ?? '';
}

/** A handle may name another model later on. */
function keyOf(model: Model): string {
  return `${model.handle}\n${model.path}`;
}

class Panel extends Widget {
  private notebook: NotebookPanel | null = null;
  private comm: KernelComm | null = null;
  private ended: (() => void) | null = null;
  private state: State | null = null;
  private isGone = false;
  private since = 0;
  /** Of each model, by `keyOf`: its sites, or why they could not be had. */
  private readonly sites = new Map<string, readonly Site[] | 'asked' | Error>();
  private readonly tree = new Tree(key => this.read(key));
  private readonly parts: Record<'running' | 'models' | 'results' | 'settings', HTMLElement>;
  private readonly clock: number;

  constructor(private readonly kernels: Kernels, private readonly tracker: INotebookTracker) {
    super();
    this.id = 'cutaway-panel';
    this.title.icon = icon;
    this.title.caption = 'Cutaway';
    this.addClass('cutaway-panel');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Cutaway');
    this.parts = { running: this.section(), models: this.section(), results: this.section(), settings: this.section() };
    this.clock = window.setInterval(() => this.tick(), 1000);
    kernels.listen(() => this.follow());
    tracker.currentChanged.connect(this.follow, this);
    settings.listen(() => this.draw());
    this.follow();
  }

  /** The keyboard comes in at what there is to do. */
  protected onActivateRequest(): void {
    (this.node.querySelector<HTMLElement>('button, [role=treeitem][tabindex="0"]') ?? this.node).focus();
  }

  dispose(): void {
    window.clearInterval(this.clock);
    super.dispose();
  }

  private get words(): Words {
    return makeWords(settings.language);
  }

  private section(): HTMLElement {
    const section = element('section', 'section');
    this.node.append(section);
    return section;
  }

  /** The notebook in front, or its kernel, may be another now. */
  private follow(): void {
    const notebook = this.tracker.currentWidget;
    const comm = this.kernels.of(notebook);
    this.notebook = notebook;
    if (comm !== this.comm) {
      this.ended?.();
      this.comm = comm;
      this.isGone = false;
      this.take(null);
      this.ended = comm?.onEvent(event => comm === this.comm && this.hear(event)) ?? null;
      comm?.state().then(
        state => comm === this.comm && this.take(state),
        () => comm === this.comm && this.gone() /* it is told when the kernel comes back */
      );
    }
    this.draw();
  }

  private hear(event: KernelEvent): void {
    if (event.event === 'state') {
      this.take(event.state);
    } else if (event.event === 'gone') {
      this.gone();
    } else if (this.state?.running) {
      this.state = { ...this.state, running: { ...this.state.running, progress: event.progress } };
      this.tick();
    }
  }

  private gone(): void {
    this.isGone = true;
    this.take(null);
  }

  private take(state: State | null): void {
    const kept = new Set(state?.models.map(keyOf));
    [...this.sites].filter(([key, sites]) => !kept.has(key) || sites instanceof Error).forEach(([key]) => this.sites.delete(key));
    this.isGone = this.isGone && state === null;
    this.state = state;
    this.since = performance.now() - 1000 * (state?.running?.seconds ?? 0);
    this.draw();
  }

  private draw(): void {
    this.node.lang = settings.language;
    this.showRunning();
    this.showModels();
    this.showResults();
    this.showSettings();
  }

  private fill(section: HTMLElement, title: string, ...content: HTMLElement[]): void {
    const heading = element('h2', 'heading', this.words(title));
    section.setAttribute('aria-label', heading.textContent ?? '');
    if (section.lastElementChild === content[0]) {
      section.firstElementChild?.replaceWith(heading); /* what stays where it is keeps the focus */
    } else {
      section.replaceChildren(heading, ...content);
    }
  }

  private note(text: string): HTMLElement {
    return element('p', 'panel-note', this.words(text));
  }

  private insert(command: string): void {
    if (this.notebook && !this.notebook.isDisposed) {
      void insert(this.notebook, command);
    }
  }

  /* What is running: made once a cell, then only its numbers change, so that the button keeps the focus. */

  private showRunning(): void {
    const running = this.state?.running;
    if (!running) {
      const why = this.comm ? (this.state ? 'Nothing is running.' : this.isGone ? 'The kernel has ended.' : 'reading…') : 'Open a notebook whose kernel is Cutaway.';
      this.fill(this.parts.running, 'Running', this.note(why));
      return;
    }
    if (this.parts.running.dataset.code === running.code && this.parts.running.querySelector('progress')) {
      this.tick();
      return;
    }
    this.parts.running.dataset.code = running.code;
    const bar = element('progress', 'progress');
    bar.setAttribute('aria-label', this.words('Running'));
    const stop = element('button', 'stop', this.words('Stop'));
    stop.type = 'button';
    stop.addEventListener('click', () => void this.kernels.connectionOf(this.notebook)?.interrupt());
    this.fill(this.parts.running, 'Running', element('code', 'code', running.code), bar, element('p', 'panel-note progress-text'), stop);
    this.tick();
  }

  private tick(): void {
    const running = this.state?.running;
    const bar = this.parts.running.querySelector('progress');
    const text = this.parts.running.querySelector('.progress-text');
    if (running && bar && text) {
      const { progress } = running;
      if (progress && progress.total > 0) {
        bar.max = progress.total;
        bar.value = Math.min(progress.done, progress.total);
      } else {
        bar.removeAttribute('value');
      }
      text.textContent = this.said(progress);
    }
  }

  private said(progress: Progress | null): string {
    const seconds = Math.max(0, Math.round((performance.now() - this.since) / 1000));
    const parts = [this.words('{seconds} s', { seconds })];
    if (progress) {
      parts.push(progress.what);
      if (progress.total > 0) {
        parts.push(this.words('{done} of {total}', { done: progress.done, total: progress.total }));
      }
      if (progress.eta !== null) {
        parts.push(this.words('about {seconds} s left', { seconds: Math.ceil(progress.eta) }));
      }
    }
    return parts.join(' · ');
  }

  /* Models, and in each its blocks, and in each their sites. */

  private showModels(): void {
    const models = this.state?.models ?? [];
    if (models.length === 0) {
      this.fill(this.parts.models, 'Models and sites', this.note('No model is loaded. %model load NAME loads one.'));
      return;
    }
    const items = models.map(model => this.modelItem(model, models.length > 1));
    this.fill(this.parts.models, 'Models and sites', this.tree.node);
    this.tree.fill(this.words('Models and sites'), items);
    models.filter(model => this.tree.isOpen(model.handle)).forEach(model => this.read(model.handle));
  }

  private act(command: string): Pick<Item, 'act' | 'hint'> {
    return { act: () => this.insert(command), hint: this.words('inserts {command}', { command: command.trim() }) };
  }

  private modelItem(model: Model, several: boolean): Item {
    const which = several ? ` --model ${word(model.handle)}` : '';
    const size = this.words('{mapped} mapped, {parameters} parameters', { mapped: short(model.mapped, 'B'), parameters: short(model.parameters) });
    const detail = [model.arch, model.dtype, size, model.inUse && several ? this.words('in use') : ''].filter(text => text).join(' · ');
    const sites = this.sites.get(keyOf(model));
    const label = sites instanceof Error ? sites.message : this.words('reading…');
    const children = Array.isArray(sites) ? this.siteItems(model.handle, sites, which) : [{ key: `${model.handle}\n…`, label }];
    return { key: model.handle, label: model.handle, detail, children, ...this.act(`%info${which}`) };
  }

  private siteItems(handle: string, sites: readonly Site[], which: string): Item[] {
    const blocks = new Map<string, Item[]>();
    const items: Item[] = [];
    for (const site of sites) {
      const block = blockOf(site);
      const leaf: Item = {
        key: `${handle}\n${site.name}`,
        label: block ? site.name.slice(block.length + 1) : site.name,
        detail: site.shape,
        ...this.act(`%info ${word(site.name)}${which}`)
      };
      if (!block) {
        items.push(leaf);
      } else if (blocks.has(block)) {
        blocks.get(block)?.push(leaf);
      } else {
        const inside = [leaf];
        blocks.set(block, inside);
        items.push({ key: `${handle}\n${block}`, children: inside, ...this.blockItem(block, site.layer ?? 0, sites, which) });
      }
    }
    return items;
  }

  /** A block with attention offers its picture. */
  private blockItem(block: string, layer: number, sites: readonly Site[], which: string): Pick<Item, 'label' | 'act' | 'hint'> {
    const stack = block.replace(/\.?\d+$/, '');
    const label = this.words(stack === 'decoder' ? 'decoder block {layer}' : stack === 'blocks' ? 'block {layer}' : 'layer {layer}', { layer });
    const looks = sites.some(site => site.name === `${block}.attn.hook_pattern`);
    const of = stack === 'decoder' ? ' --of decoder' : '';
    return looks ? { label, ...this.act(`%%attention --layer ${layer}${of}${which}\n`) } : { label };
  }

  /** The sites of a model that was opened for the first time. */
  private read(handle: string): void {
    const comm = this.comm;
    const model = this.state?.models.find(one => one.handle === handle);
    const key = model ? keyOf(model) : '';
    if (!comm || !model || this.sites.has(key)) {
      return;
    }
    const answered = (sites: readonly Site[] | Error) => {
      if (comm === this.comm && this.sites.has(key)) {
        this.sites.set(key, sites);
        this.showModels();
      }
    };
    this.sites.set(key, 'asked');
    comm.sites(handle).then(answered, error => answered(error instanceof Error ? error : new Error(String(error))));
  }

  private showResults(): void {
    const results = this.state?.results ?? [];
    if (results.length === 0) {
      this.fill(this.parts.results, 'Results', this.note('No result is kept yet.'));
      return;
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset.result;
    const list = element('ul', 'results');
    list.append(...results.map(result => this.resultItem(result)));
    this.fill(this.parts.results, 'Results', list);
    if (focused !== undefined) {
      [...list.querySelectorAll('button')].find(button => button.dataset.result === focused)?.focus();
    }
  }

  private resultItem(result: KeptResult): HTMLElement {
    const item = element('li', 'result');
    const button = element('button', 'insert');
    const command = `%show ${word(result.name)}`;
    button.type = 'button';
    button.dataset.result = result.name;
    button.title = this.words('inserts {command}', { command });
    const detail = [result.name === '_' ? this.words('the last one') : '', result.title || result.kind, short(result.bytes, 'B')];
    button.append(element('span', 'name', result.name), element('span', 'detail', detail.filter(text => text).join(' · ')));
    button.addEventListener('click', () => this.insert(command));
    item.append(button);
    return item;
  }

  private showSettings(): void {
    if (this.parts.settings.contains(document.activeElement) && this.parts.settings.lang === settings.language) {
      for (const select of this.parts.settings.querySelectorAll('select')) {
        select.value = settings.get(select.name as Name);
      }
      return;
    }
    const focused = (document.activeElement as HTMLSelectElement | null)?.id;
    this.parts.settings.lang = settings.language;
    this.fill(this.parts.settings, 'Settings', ...NAMES.map(name => this.choice(name)));
    if (focused) {
      this.parts.settings.querySelector<HTMLElement>(`select[id="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  private choice(name: Name): HTMLElement {
    const row = element('div', 'setting');
    const label = element('label', 'label', this.words(LABELS[name]));
    const select = element('select', 'menu');
    select.id = `cutaway-setting-${name}`;
    select.name = name;
    label.htmlFor = select.id;
    for (const value of CHOICES[name]) {
      select.add(new Option(SHOWN[value] === undefined ? this.words(value) : this.words(SHOWN[value]), value, false, value === settings.get(name)));
    }
    select.addEventListener('change', () => void settings.set(name, select.value));
    row.append(label, select);
    return row;
  }
}

export const panel: JupyterFrontEndPlugin<void> = {
  id: 'cutaway-lab:panel',
  description: 'What the kernel has loaded, keeps and is doing, beside the notebook.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ILayoutRestorer, ICommandPalette],
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker, restorer: ILayoutRestorer | null, palette: ICommandPalette | null) => {
    const kernels = new Kernels(tracker);
    const widget = new Panel(kernels, tracker);
    followImages(tracker);
    app.shell.add(widget, 'left', { rank: 700 });
    restorer?.add(widget, widget.id);
    app.commands.addCommand(SHOW, {
      label: () => makeWords(settings.language)('Show Cutaway: models, results, running work'),
      execute: () => {
        app.shell.activateById(widget.id);
        widget.activate();
      }
    });
    palette?.addItem({ command: SHOW, category: 'Cutaway' });
  }
};
