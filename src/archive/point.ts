import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { describeError } from '../base/errors.js';
import { ArchivedPath, Hash, Layouts, PackedDays } from '../history/archived-days.js';
import { objectDamaged } from './errors.js';

const Size = Type.Integer({ minimum: 0 });

const Point = Type.Object({
  format: Type.Literal(1),
  /** The archive's identity: points of another archive are never taken for its own. */
  archive: Type.String({ minLength: 1 }),
  /** One more than that of the point before. */
  number: Type.Integer({ minimum: 1 }),
  /** The writer's fencing number: it never falls from one point to the next. */
  fence: Type.Integer({ minimum: 1 }),
  /** When it was taken: an ISO 8601 time. */
  at: Type.String({ minLength: 1 }),
  /** Everything but sealed days. */
  files: Type.Array(
    Type.Object({
      path: ArchivedPath,
      size: Size,
      parts: Type.Array(Type.Object({ hash: Hash, size: Size })),
    }),
  ),
  /** Sealed days; their objects have the paths as keys. */
  days: PackedDays,
  /** Columns of the days, so that a restored folder knows them without the files. */
  layouts: Type.Optional(Layouts),
});

/**
 * One consistent state of a data folder. Each table's files are those between two of its polls. A point is written after
 * everything that it names, and nothing that a kept point names is removed.
 */
export type Point = Static<typeof Point>;
export type ArchivedFile = Point['files'][number];

const FOLDER = 'points/';
/** Digits of a point's number in its key, so that keys are in the order of numbers. */
const DIGITS = 12;

export const POINTS = FOLDER;

export function pointKey(number: number): string {
  return `${FOLDER}${String(number).padStart(DIGITS, '0')}.json.gz`;
}

/** Null for the key of anything else. */
export function numberOfPoint(key: string): number | null {
  const match = /^points\/(\d{12})\.json\.gz$/.exec(key);
  return match === null ? null : Number(match[1]);
}

export function encodePoint(point: Point): Promise<Buffer> {
  return promisify(gzip)(JSON.stringify(point));
}

/** The SHA-256 of a point, as hexadecimal digits. */
export function hashOfPoint(point: Point): string {
  return createHash('sha256').update(JSON.stringify(point)).digest('hex');
}

/** Rejects with `ARCHIVE_DAMAGED` if this is no point. `place`: for the error. */
export async function decodePoint(bytes: Buffer, place: string): Promise<Point> {
  try {
    const value: unknown = JSON.parse((await promisify(gunzip)(bytes)).toString());
    if (Value.Check(Point, value)) return value;
  } catch (error) {
    throw objectDamaged(place, describeError(error));
  }
  throw objectDamaged(place, 'it is not a point of an archive, or one of a newer version');
}
