import { Type } from 'typebox';
import { Value } from 'typebox/value';

/**
 * How far a shard was read. `start`: nothing of it, everything in it is new; `end`: all of it, and it is closed.
 * `after`: up to the record with that sequence number. `since`: no record yet, and those created before that time, in
 * milliseconds since the epoch, are older than the items.
 */
export type Progress =
  | 'start'
  | 'end'
  | { readonly after: string; readonly since?: never }
  | { readonly since: number; readonly after?: never };

/** Where the reading of a stream continues. */
export interface Position {
  /** The stream's ARN: a stream that is enabled again has another one. */
  readonly stream: string;
  /** Everything that happened before that time has been read, in milliseconds since the epoch. */
  readonly at: number;
  /** By shard ID: every shard that was ever listed and still is. */
  readonly shards: ReadonlyMap<string, Progress>;
}

const Stored = Type.Object({
  stream: Type.String(),
  at: Type.Integer(),
  shards: Type.Record(
    Type.String(),
    Type.Union([
      Type.Literal('start'),
      Type.Literal('end'),
      Type.Object({ after: Type.String({ pattern: '^[0-9]+$' }) }, { additionalProperties: false }),
      Type.Object({ since: Type.Integer() }, { additionalProperties: false }),
    ]),
  ),
});

/** The position as the recorder keeps it. */
export function formatPosition({ stream, at, shards }: Position): string {
  return JSON.stringify({ stream, at, shards: Object.fromEntries(shards) });
}

/** The inverse; null for anything else, such as the position of another version of this service. */
export function parsePosition(text: string): Position | null {
  try {
    const stored: unknown = JSON.parse(text);
    if (!Value.Check(Stored, stored)) return null;
    return { ...stored, shards: new Map(Object.entries(stored.shards) as [string, Progress][]) };
  } catch {
    return null;
  }
}
