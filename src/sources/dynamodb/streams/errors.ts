import { formatDuration } from '../../../base/durations.js';
import { DynamoCsvError } from '../../../base/errors.js';
import { at, type TablePlace } from '../errors.js';

const BAD_UPSTREAM = 502;

/** The table has no stream, or it was disabled, and the configuration has `stream: true`. */
export function noStream(place: TablePlace): DynamoCsvError {
  return new DynamoCsvError('STREAM_MISSING', `There is no enabled stream on ${at(place)}`, {
    remedy: `enable one (aws dynamodb update-table --table-name ${place.table} --stream-specification StreamEnabled=true,StreamViewType=NEW_IMAGE), or set stream: auto to poll the table while it has none`,
    status: BAD_UPSTREAM,
  });
}

/** A record without the image that its stream's view type promises. */
export function imageMissing(table: string, viewType: string): DynamoCsvError {
  return new DynamoCsvError(
    'STREAM_RECORD_INVALID',
    `A record of the stream of table ${table} has no new image, although its view type is ${viewType}`,
    { remedy: 'check that the endpoint is DynamoDB Streams', status: BAD_UPSTREAM },
  );
}

/** BatchGetItem kept leaving keys unprocessed. */
export function keysUnprocessed(table: string, keys: number, tried: number): DynamoCsvError {
  return new DynamoCsvError(
    'TABLE_THROTTLED',
    `DynamoDB throttles the reading of table ${table}: BatchGetItem left ${keys} keys unprocessed after ${tried} attempts`,
    { remedy: 'give the table more read capacity, or a stream with new images', status: BAD_UPSTREAM },
  );
}

/** Why a stream cannot be continued from a position; the table is then scanned. Thrown by the follower only. */
export class StreamBroken extends Error {
  override readonly name = 'StreamBroken';
}

export function recordsTrimmed(shard: string): StreamBroken {
  return new StreamBroken(`records of shard ${shard} were trimmed before they were read`);
}

export function breakTooLong(milliseconds: number): StreamBroken {
  const hours = Math.floor(milliseconds / 3_600_000) * 3_600_000;
  return new StreamBroken(
    `it was last read ${formatDuration(hours)} ago, and a stream keeps its records for 24 hours`,
  );
}

/** A stream that broke while the table was scanned. */
export function streamBroken(place: TablePlace, cause: StreamBroken): DynamoCsvError {
  return new DynamoCsvError(
    'STREAM_BROKEN',
    `The stream of ${at(place)} could not be followed: ${cause.message}`,
    {
      remedy: 'the next poll begins with a Scan',
      status: BAD_UPSTREAM,
      cause,
    },
  );
}

/** The stream that DescribeTable names does not exist. */
export function streamGone(place: TablePlace, cause: unknown): DynamoCsvError {
  return new DynamoCsvError('STREAM_MISSING', `The stream of ${at(place)} does not exist any more`, {
    remedy: 'the table is described again at the next poll',
    status: BAD_UPSTREAM,
    cause,
  });
}
