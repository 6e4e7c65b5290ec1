import { createHash } from 'node:crypto';

/** Names that stay the same for ever; apart from the builders, so that the catalogue does not load Grafana's library. */

export const hashed = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Eight characters that tell datasets apart in uids. */
export const datasetHash = (dataset: string): string => hashed(dataset).slice(0, 8);

/** Grafana takes uids of up to 40 letters, digits, `-` and `_`. A dataset keeps its uid for ever: people's links name it. */
export function dashboardUid(dataset: string): string {
  const readable = dataset
    .toLowerCase()
    .replaceAll(/[^a-z\d]+/g, '-')
    .slice(0, 24)
    .replaceAll(/^-|-$/g, '');
  return `table-${readable === '' ? '' : `${readable}-`}${datasetHash(dataset)}`;
}
