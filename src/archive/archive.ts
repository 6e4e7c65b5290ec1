import { randomUUID } from 'node:crypto';
import { objectDamaged, objectMissing } from './errors.js';
import type { ObjectStore } from './objects.js';
import { type Part, packed, partKey, unpacked } from './parts.js';
import { decodePoint, encodePoint, numberOfPoint, POINTS, type Point, pointKey } from './point.js';

const IDENTITY = 'archive.json';

/** A history in an object store: points, the parts of their files, and sealed days. */
export class Archive {
  readonly objects: ObjectStore;
  /** Distinguishes this archive from any other, also from a later one at the same place. */
  readonly id: string;
  /** Parts that are known to be in the store. */
  readonly #present = new Set<string>();

  private constructor(objects: ObjectStore, id: string) {
    this.objects = objects;
    this.id = id;
  }

  /** Opens the archive at that place; null: there is none. */
  static async find(objects: ObjectStore): Promise<Archive | null> {
    const found = await objects.get(IDENTITY);
    if (found === null) return null;
    return new Archive(objects, idIn(found.bytes, objects.location + IDENTITY));
  }

  /** Opens the archive at that place, or begins one. */
  static async open(objects: ObjectStore): Promise<Archive> {
    const content = Buffer.from(JSON.stringify({ format: 1, id: randomUUID() }));
    // Somebody else may begin one at the same time: whoever comes first decides.
    const found = (await Archive.find(objects)) ?? (await objects.put(IDENTITY, content, 'absent'));
    if (found instanceof Archive) return found;
    return (await Archive.find(objects)) as Archive;
  }

  get location(): string {
    return this.objects.location;
  }

  /** The numbers of all points, in their order. */
  async numbers(): Promise<number[]> {
    const numbers: number[] = [];
    for await (const { key } of this.objects.list(POINTS)) {
      const number = numberOfPoint(key);
      if (number !== null) numbers.push(number);
    }
    return numbers;
  }

  /** The point of that number. Rejects with `ARCHIVE_DAMAGED` if it is missing, damaged, or another archive's. */
  async point(number: number): Promise<Point> {
    const key = pointKey(number);
    const place = this.location + key;
    const found = await this.objects.get(key);
    if (found === null) throw objectMissing(place);
    const point = await decodePoint(found.bytes, place);
    if (point.archive !== this.id || point.number !== number)
      throw objectDamaged(place, `it is point ${point.number} of archive ${point.archive}`);
    return point;
  }

  async latest(): Promise<Point | null> {
    const number = (await this.numbers()).at(-1);
    return number === undefined ? null : this.point(number);
  }

  /** The latest point taken at that time or before, in milliseconds since the epoch; null: all are later. */
  async pointAt(time: number): Promise<Point | null> {
    const numbers = await this.numbers();
    let [from, end] = [0, numbers.length];
    let found: Point | null = null;
    while (from < end) {
      const middle = (from + end) >> 1;
      const point = await this.point(numbers[middle] as number);
      if (Date.parse(point.at) > time) end = middle;
      else {
        found = point;
        from = middle + 1;
      }
    }
    return found;
  }

  /** Adds the next point. False: there is one of that number, so somebody else writes to this archive. */
  async add(point: Point): Promise<boolean> {
    const bytes = await encodePoint(point);
    const key = pointKey(point.number);
    if ((await this.objects.put(key, bytes, 'absent')) !== null) return true;
    // A request whose answer was lost is sent again by the SDK, and then meets itself.
    return (await this.objects.get(key))?.bytes.equals(bytes) ?? false;
  }

  /** Stores a part unless it is there. Resolves to the bytes sent. */
  async putPart({ hash }: Part, bytes: Buffer): Promise<number> {
    if (this.#present.has(hash)) return 0;
    const object = await packed(bytes);
    // Content-addressed: what is there under that name is the same.
    const isNew = (await this.objects.put(partKey(hash), object, 'absent')) !== null;
    this.#present.add(hash);
    return isNew ? object.length : 0;
  }

  /** Parts that a point names are there. */
  know(point: Point): void {
    for (const { parts } of point.files) for (const { hash } of parts) this.#present.add(hash);
  }

  forget(hashes: Iterable<string>): void {
    for (const hash of hashes) this.#present.delete(hash);
  }

  /** The bytes of a part. Rejects with `ARCHIVE_DAMAGED` if it is missing or does not have that hash. */
  async part({ hash }: Part, signal?: AbortSignal): Promise<Buffer> {
    const key = partKey(hash);
    const found = await this.objects.get(key, signal);
    if (found === null) throw objectMissing(this.location + key);
    return unpacked(found.bytes, hash, this.location + key);
  }
}

function idIn(bytes: Buffer, place: string): string {
  try {
    const { format, id } = JSON.parse(bytes.toString()) as { format?: unknown; id?: unknown };
    if (format === 1 && typeof id === 'string' && id !== '') return id;
  } catch {
    // Worded below.
  }
  throw objectDamaged(place, 'it is not the identity of an archive, or one of a newer version');
}
