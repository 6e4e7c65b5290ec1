import { type MistakeReport, show } from '../options/mistakes.js';
import type { PublishedName } from '../sources/kind.js';

/** What the service has of its own where sources are published; no source may take these names. */
export const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  ['collector', "the service's own dataset"],
  ['collector-log', "the service's own log"],
  ['time-zone', "a file of the service's own, in the folder of the sealed days"],
]);

/** Reports names that are published twice. `names`: in the order of the catalogue. */
export function checkPublishedNames(names: readonly PublishedName[], report: MistakeReport): void {
  const taken = new Map<string, { readonly name: string; readonly by: string }>();
  for (const [name, by] of OWN_NAMES) taken.set(name, { name, by });
  for (const published of [...names].sort((a, b) => Number(a.derived) - Number(b.derived))) {
    // By lower case: on file systems that ignore case, zones.csv and Zones.csv are one file.
    const key = published.name.toLowerCase();
    const other = taken.get(key);
    if (other === undefined) taken.set(key, published);
    else report.add(nameTaken(published, other));
  }
}

function nameTaken(
  { name, by, path, derived }: PublishedName,
  other: { readonly name: string; readonly by: string },
) {
  const same = other.name === name ? 'is' : `differs only in case from ${show(other.name)},`;
  return {
    path,
    wrong: `${show(name)}${derived ? `, ${by},` : ''} ${same} the name of ${other.by}`,
    remedy: 'publish it under another name by as',
  };
}
