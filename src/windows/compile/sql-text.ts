/** How names and texts stand in SQL. */

/** `zone "A"` → `"zone ""A"""`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name as DuckDB compares names: `A` to `Z` are small, and no other letter is another one. */
export function folded(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** `it's` → `'it''s'`; for paths and options, which cannot be bound. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
