/**
 * The display name of instances; `regions` empty: the SDK's own region. A recorder recognises its source by it at the next
 * start, so it must never change.
 */
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
