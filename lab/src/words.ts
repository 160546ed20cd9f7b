/** What the extension itself says, in English and Chinese. A figure's own texts come from the kernel. */

const CHINESE: Record<string, string> = Object.assign(Object.create(null), {
  'values': '数值',
  'how to read it': '如何阅读',
  'not connected to the kernel: values are those that were saved': '未连接内核:显示的是保存的数值',
  'the view could not be drawn: {why}': '无法绘制此视图:{why}'
});

export interface Words {
  readonly language: string;
  /** The English words are the key; {name} is replaced by its value. */
  (english: string, values?: Readonly<Record<string, string | number>>): string;
}

/** Words of a view's own file join by this, once, when the file is loaded. */
export function addChinese(words: Readonly<Record<string, string>>): void {
  Object.assign(CHINESE, words);
}

export function makeWords(language: string): Words {
  const chinese = /^zh/.test(language);
  const say = (english: string, values: Readonly<Record<string, string | number>> = {}): string =>
    ((chinese && CHINESE[english]) || english).replace(/\{(\w+)\}/g, (whole, name) => (Object.prototype.hasOwnProperty.call(values, name) ? String(values[name]) : whole));
  return Object.assign(say, { language: chinese ? 'zh' : 'en' });
}
