/**
 * Text in which each character stands for one byte of UTF-8. CSV's own characters are ASCII, so lines can be taken
 * apart and put together in this form without decoding them, and its order is the order of the bytes.
 */
export type ByteText = string;

/** A row's cell; null where it is absent. */
export type ByteCell = ByteText | null;

export function toByteText(text: string): ByteText {
  return Buffer.from(text).toString('latin1');
}

export function fromByteText(text: ByteText): string {
  return Buffer.from(text, 'latin1').toString();
}
