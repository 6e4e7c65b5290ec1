/**
 * Whether `If-None-Match` names this entity tag (with its quotes), so that the client has these bytes already: a list of
 * tags, each perhaps weak (`W/"…"`), or `*` for any. https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match
 */
export function noneMatchFails(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header === etag) return true;
  if (header.trim() === '*') return true;
  // Ours have no comma and no quote inside, so what contains one of ours between quotes names it.
  for (const tag of header.split(',')) {
    const trimmed = tag.trim();
    if ((trimmed.startsWith('W/') ? trimmed.slice(2) : trimmed) === etag) return true;
  }
  return false;
}
