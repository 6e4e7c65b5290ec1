import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Encoding } from './accept-encoding.js';
import { MIN_COMPRESSED } from '../limits.js';

/** One encoding of a body, with its entity tag: all that an answer needs but the age of the data. */
export interface Variant {
  readonly encoding: Encoding;
  readonly bytes: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly contentType: string;
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
    this.identity = { encoding: 'identity', bytes, etag: `"${hash}"`, contentType };
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
    const { bytes, contentType } = this.identity;
    // Parquet is compressed in itself.
    return bytes.length >= MIN_COMPRESSED && !contentType.includes('parquet');
  }

  async #encode(encoding: 'gzip' | 'br'): Promise<Variant> {
    const { identity } = this;
    let variant = identity;
    try {
      const bytes = await compressions[encoding](identity.bytes);
      if (bytes.length < identity.bytes.length) {
        variant = { ...identity, encoding, bytes, etag: `"${this.#hash}-${encoding}"` };
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
