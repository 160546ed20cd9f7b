/** What the kernel sends of a figure (core/draw/figure_json.c), checked where it is read. */

/** The texts that every figure has; a view reads the other members of its own kind by `reader.ts`. */
export interface Figure {
  readonly schema: string;
  readonly kind: string;
  readonly language: string;
  readonly title: string;
  readonly note: string;
  readonly finding: string;
  readonly caption: string;
  readonly alt: string;
  readonly provenance: string;
  /** The number by which the living kernel knows the result behind it; '' where there is none. */
  readonly result: string;
  /** The whole object. */
  readonly body: Readonly<Record<string, unknown>>;
}

function text(of: Record<string, unknown>, name: string): string {
  const value = of[name];
  return typeof value === 'string' ? value : '';
}

/** Throws, saying what is wrong, where `data` is no figure of a schema that we draw. */
export function readFigure(data: unknown): Figure {
  if (typeof data !== 'object' || data === null) {
    throw new Error('the figure is not an object');
  }
  const of = data as Record<string, unknown>;
  const schema = /^cutaway\.([a-z]+)\.v1$/.exec(text(of, 'schema'));
  if (!schema) {
    throw new Error(`schema '${text(of, 'schema')}' is not one that this extension draws`);
  }
  return {
    schema: schema[0],
    kind: schema[1],
    language: text(of, 'language') || 'en',
    title: text(of, 'title'),
    note: text(of, 'note'),
    finding: text(of, 'finding'),
    caption: text(of, 'caption'),
    alt: text(of, 'alt'),
    provenance: text(of, 'provenance'),
    result: text(of, 'result'),
    body: of
  };
}
