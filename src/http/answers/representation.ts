import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { MIN_COMPRESSED } from '../limits.js';
import type { Encoding } from './accept-encoding.js';

/** Header fields by their lower-case names. */
export type Head = Readonly<Record<string, string>>;

/** One encoding of a body, with its entity tag and its header fields. */
export class Variant {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly #contentType: string;
  #second = -1;
  #readAt: number | null = null;
  #heads: { readonly whole: Head; readonly notModified: Head } | null = null;

  constructor(encoding: Encoding, bytes: Buffer, etag: string, contentType: string) {
    this.encoding = encoding;
    this.bytes = bytes;
    this.etag = etag;
    this.#contentType = contentType;
  }

  /**
   * The fields of an answer with the body and of a 304, for data that was read then; both times in milliseconds. Made
   * once a second: the age is the only thing that changes.
   */
  heads(readAt: number | null, now: number): { readonly whole: Head; readonly notModified: Head } {
    const second = Math.floor(now / 1_000);
    if (this.#heads === null || second !== this.#second || readAt !== this.#readAt) {
      this.#heads = this.#makeHeads(readAt, now);
      this.#second = second;
      this.#readAt = readAt;
    }
    return this.#heads;
  }

  #makeHeads(readAt: number | null, now: number) {
    const notModified = {
      etag: this.etag,
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
      ...ageHead(readAt, now),
    };
    const whole = {
      'content-type': this.#contentType,
      'content-length': String(this.bytes.length),
      ...(this.encoding === 'identity' ? {} : { 'content-encoding': this.encoding }),
      'x-content-type-options': 'nosniff',
      ...notModified,
    };
    return { whole, notModified };
  }
}

/** `Age` in whole seconds, and `Last-Modified`; nothing when it is not known. Both times in milliseconds. */
export function ageHead(readAt: number | null, now: number): Head {
  if (readAt === null) return {};
  return {
    age: String(Math.max(0, Math.floor((now - readAt) / 1_000))),
    'last-modified': new Date(readAt).toUTCString(),
  };
}

/** Level 6 is zlib's own balance; beyond it CSV gets a percent smaller and takes twice as long. */
const GZIP_LEVEL = 6;
/** Quality 5 is already smaller than any gzip at gzip's speed; the default 11 takes seconds for a megabyte. */
const BROTLI_QUALITY = 5;
/** Bytes handed over at once by zlib's thread; small ones would cost a turn of the event loop each. */
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

/** The bytes of an answer, whole and immutable, with what they were encoded to so far. */
export class Representation {
  readonly identity: Variant;
  readonly #contentType: string;
  readonly #hash: string;
  readonly #encoded = new Map<Encoding, Variant | Promise<Variant>>();
  readonly #onEncoded: (bytes: number) => void;

  /** `hash` names the bytes; `onEncoded` is told of the bytes that each further encoding takes. */
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
   * The body so encoded; as it is where encoding does not pay. Encoded once, in zlib's threads, however many ask; a
   * promise until it is there.
   */
  variant(encoding: Encoding): Variant | Promise<Variant> {
    if (encoding === 'identity' || !this.#isCompressible) return this.identity;
    const known = this.#encoded.get(encoding);
    if (known !== undefined) return known;
    const variant = this.#encode(encoding);
    this.#encoded.set(encoding, variant);
    return variant;
  }

  get #isCompressible(): boolean {
    // Parquet is compressed in itself.
    return this.identity.bytes.length >= MIN_COMPRESSED && !this.#contentType.includes('parquet');
  }

  async #encode(encoding: 'gzip' | 'br'): Promise<Variant> {
    const { identity } = this;
    let variant = identity;
    try {
      const bytes = await compressions[encoding](identity.bytes);
      if (bytes.length < identity.bytes.length) {
        variant = new Variant(encoding, bytes, `"${this.#hash}-${encoding}"`, this.#contentType);
        this.#onEncoded(bytes.length);
      }
    } catch (error) {
      this.#encoded.delete(encoding);
      throw error;
    }
    this.#encoded.set(encoding, variant);
    return variant;
  }
}
