/** The attributes met so far, numbered in the order in which they were met. */
export class AttributeNames {
  /** By number. */
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** The attribute's number; the next one for a name never met before. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.names.push(name);
    this.#numbers.set(name, number);
    return number;
  }
}
