import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { MIN_COMPRESSED } from '../limits.js';
import type { Encoding } from './accept-encoding.js';

/** Header fields by lower-case name. */
export type Head = Readonly<Record<string, string>>;

/** A body in one encoding, with its entity tag and header fields. */
export class Variant {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
  /** Including its quotes. */
  readonly etag: string;
  readonly #contentType: string;
  #second = -1;
  #readAt: number | null = null;
  #whole: Head | null = null;
  #notModified: Head | null = null;

  constructor(encoding: Encoding, bytes: Buffer, etag: string, contentType: string) {
    this.encoding = encoding;
    this.bytes = bytes;
    this.etag = etag;
    this.#contentType = contentType;
  }

  /**
   * The header fields for a 200, or for a 304 if the client has the body already (`isKnown`). `readAt` and `now` in
   * milliseconds. Made once a second, since only the age changes.
   */
  head(isKnown: boolean, readAt: number | null, now: number): Head {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second || readAt !== this.#readAt) {
      this.#whole = null;
      this.#notModified = null;
      this.#second = second;
      this.#readAt = readAt;
    }
    if (isKnown) {
      this.#notModified ??= this.#common(readAt, now);
      return this.#notModified;
    }
    this.#whole ??= this.#ofWhole(readAt, now);
    return this.#whole;
  }

  #ofWhole(readAt: number | null, now: number): Head {
    return {
      'content-type': this.#contentType,
      'content-length': String(this.bytes.length),
      ...(this.encoding === 'identity' ? {} : { 'content-encoding': this.encoding }),
      'x-content-type-options': 'nosniff',
      ...this.#common(readAt, now),
    };
  }

  #common(readAt: number | null, now: number): Head {
    return {
      etag: this.etag,
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
      ...ageHead(readAt, now),
    };
  }
}

/** `Age` in whole seconds and `Last-Modified`; empty if `readAt` is null. Both times in milliseconds. */
export function ageHead(readAt: number | null, now: number): Head {
  if (readAt === null) return {};
  return {
    age: String(Math.max(0, Math.floor((now - readAt) / 1_000))),
    'last-modified': httpDate(readAt),
  };
}

let lastDate = { at: Number.NaN, text: '' };

/** Cached: all windows of a dataset have the time of its last poll, and formatting one takes longer than finding its rows. */
function httpDate(at: number): string {
  if (lastDate.at !== at) lastDate = { at, text: new Date(at).toUTCString() };
  return lastDate.text;
}

/** zlib's default. Higher levels make CSV one percent smaller and take twice as long. */
const GZIP_LEVEL = 6;
/** Smaller than any gzip at the speed of gzip; the default, 11, takes seconds for a megabyte. */
const BROTLI_QUALITY = 5;
/** Output bytes per callback of zlib: small chunks would cost a pass of the event loop each. */
const CHUNK = 256 * 1_024;

const compressions = {
  gzip: (bytes: Buffer) => promisify(gzip)(bytes, { level: GZIP_LEVEL, chunkSize: CHUNK }),
  br: (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, {
      chunkSize: CHUNK,
      params: {
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
};

type Encodings = Map<Encoding, Variant | Promise<Variant>>;

/** An immutable body with all its encodings so far. */
export class Representation {
  readonly identity: Variant;
  readonly #contentType: string;
  readonly #hash: string;
  /** Made with the first encoding: of most windows there is none. */
  #encoded: Encodings | null = null;
  readonly #onEncoded: (bytes: number) => void;

  /** `hash`: of the bytes (see `hashOf`). `onEncoded` is called with the size of each further encoding in bytes. */
  constructor(
    bytes: Buffer,
    contentType: string,
    hash: string,
    onEncoded: (bytes: number) => void = () => {},
  ) {
    this.identity = new Variant('identity', bytes, `"${hash}"`, contentType);
    this.#contentType = contentType;
    this.#hash = hash;
    this.#onEncoded = onEncoded;
  }

  /**
   * The body in this encoding, or unencoded if encoding does not make it smaller. Encoded once, in zlib's threads; a
   * promise until that is done.
   */
  variant(encoding: Encoding): Variant | Promise<Variant> {
    if (encoding === 'identity' || !this.#isCompressible) return this.identity;
    this.#encoded ??= new Map();
    const known = this.#encoded.get(encoding);
    if (known !== undefined) return known;
    const variant = this.#encode(encoding, this.#encoded);
    this.#encoded.set(encoding, variant);
    return variant;
  }

  get #isCompressible(): boolean {
    // Parquet is already compressed.
    return this.identity.bytes.length >= MIN_COMPRESSED && !this.#contentType.includes('parquet');
  }

  async #encode(encoding: 'gzip' | 'br', encoded: Encodings): Promise<Variant> {
    const { identity } = this;
    let variant = identity;
    try {
      const bytes = await compressions[encoding](identity.bytes);
      if (bytes.length < identity.bytes.length) {
        variant = new Variant(encoding, bytes, `"${this.#hash}-${encoding}"`, this.#contentType);
        this.#onEncoded(bytes.length);
      }
    } catch (error) {
      encoded.delete(encoding);
      throw error;
    }
    encoded.set(encoding, variant);
    return variant;
  }
}
