/** An SQL statement and what its `$1`, `$2` … stand for. Everything is bound as text and cast in the SQL. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly string[];
}

/**
 * Collects the values of a statement while it is written; it may begin with those of a statement within.
 */
export class Bindings {
  readonly #values: string[];
  readonly #indexes = new Map<string, number>();

  constructor(values: readonly string[] = []) {
    this.#values = [...values];
  }

  get values(): readonly string[] {
    return this.#values;
  }

  /** What stands for the value in the SQL, which has to use it; `type` is DuckDB's. */
  add(value: string, type = 'VARCHAR'): string {
    const index = this.#indexes.get(value) ?? this.#values.push(value);
    this.#indexes.set(value, index);
    return `CAST($${index} AS ${type})`;
  }
}
