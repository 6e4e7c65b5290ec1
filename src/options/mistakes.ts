/** Where a value stands in the configuration file, from the top: `['tables', 'flag-dynamodb', 'interval']`. */
export type Path = readonly string[];

/** One thing that is wrong in the configuration file: what it is and what to do. */
export interface Mistake {
  readonly path: Path;
  /** What is wrong, after the path: `"30 sec" is not a duration`. */
  readonly wrong: string;
  /** An imperative without a full stop: `write it as 30s`. */
  readonly remedy: string;
}

/** Collects the mistakes of a file, one for each place: once it is corrected, the next one there may be gone too. */
export class MistakeReport {
  readonly #mistakes: Mistake[];

  /** `mistakes`: what was found so far; what is reported is added to it. */
  constructor(mistakes: Mistake[]) {
    this.#mistakes = mistakes;
  }

  get isEmpty(): boolean {
    return this.#mistakes.length === 0;
  }

  /** Ignored where something is reported at the same place already. */
  add(mistake: Mistake): void {
    const place = formatPath(mistake.path);
    if (this.#mistakes.some(({ path }) => formatPath(path) === place)) return;
    this.#mistakes.push(mistake);
  }

  /** Whether something is wrong there or below. */
  isWrong(path: Path): boolean {
    return this.#mistakes.some((mistake) => path.every((key, index) => mistake.path[index] === key));
  }
}

/** `tables.flag-dynamodb.interval`; a key that would be misread between dots stands in brackets: `tables["a.b"]`. */
export function formatPath(path: Path): string {
  return path.reduce((text, key) => {
    if (/^\d+$/.test(key) && text !== '') return `${text}[${key}]`;
    if (!/^[\w-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A value as a mistake shows it: JSON, cut where it gets long. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
