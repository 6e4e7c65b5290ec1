/** How names and texts stand in SQL. */

/** `zone "A"` → `"zone ""A"""`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `it's` → `'it''s'`; for paths and options, which cannot be bound. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
