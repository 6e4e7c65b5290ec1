/**
 * How sources are called to people. A recorder knows by it, at the next start, whether it is still the same source that
 * goes on with a dataset; so the past that the demo makes up carries the same titles.
 */

export function tableTitle(table: string): string {
  return `DynamoDB table ${table}`;
}

/** Instances of `ids`, and those with `tags`; `regions` empty: of the SDK's own region. */
export function instancesTitle({
  ids,
  tags,
  regions,
}: {
  readonly ids: readonly string[];
  readonly tags: Readonly<Record<string, readonly string[]>>;
  readonly regions: readonly string[];
}): string {
  const byTag = Object.entries(tags).map(([tag, values]) => `${tag}=${values.join('|')}`);
  const selection = [...ids, ...(byTag.length === 0 ? [] : [`with ${byTag.join(' and ')}`])].join(', ');
  return `EC2 instances ${selection}${regions.length === 0 ? '' : ` in ${regions.join(', ')}`}`;
}
