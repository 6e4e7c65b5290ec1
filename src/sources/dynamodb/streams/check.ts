import { systemClock } from '../../../base/clock.js';
import type { DynamoCsvError } from '../../../base/errors.js';
import { placeOf } from '../client.js';
import { explainFailure } from '../failures.js';
import type { TableConfig } from '../options.js';
import type { TableStream } from '../table.js';
import { createStreamsClient } from './client.js';
import { noStream } from './errors.js';
import { StreamRequests } from './requests.js';

/**
 * For `--check`: lists the shards of a table's stream and reads from one, which costs one GetRecords request. Returns the
 * number of shards that are open, or why the stream cannot be read. Rejects with the signal's reason.
 */
export async function checkStream(
  { table, region, endpoint, role }: Pick<TableConfig, 'table' | 'region' | 'endpoint' | 'role'>,
  stream: TableStream | null,
  signal: AbortSignal,
): Promise<number | DynamoCsvError> {
  const client = createStreamsClient({ region, endpoint, role });
  try {
    if (stream === null) return noStream(await placeOf(client, table));
    const requests = new StreamRequests(client, stream.arn, systemClock);
    const shards = await requests.shards(signal);
    const parents = new Set(shards.map(({ parent }) => parent));
    const open = shards.filter(({ id }) => !parents.has(id));
    const [first] = open;
    if (first !== undefined) {
      const iterator = await requests.iterator(first.id, { ShardIteratorType: 'LATEST' }, signal);
      await requests.records(iterator, signal);
    }
    return open.length;
  } catch (thrown) {
    signal.throwIfAborted();
    return explainFailure(thrown, await placeOf(client, table), 'dynamodb:GetRecords');
  } finally {
    client.destroy();
  }
}
