import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import opentype from 'opentype.js';

/** Widths of texts in Inter, the font of Grafana's pages. */

type Weight = 400 | 500;

const require = createRequire(import.meta.url);
const fonts: Readonly<Record<Weight, opentype.Font>> = { 400: load(400), 500: load(500) };

function load(weight: Weight): opentype.Font {
  const file = readFileSync(require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff`));
  return opentype.parse(new Uint8Array(file).buffer);
}

/** Between two letters, as a part of the font's size. */
const LETTER_SPACING = 0.15 / 14;

/** The width of a line of text, in pixels, without kerning: one pixel too much in a long line. */
export function textWidth(text: string, fontSize: number, weight: Weight = 400): number {
  const { unitsPerEm } = fonts[weight];
  const characters = [...text];
  const units = characters.reduce(
    (sum, character) => sum + fonts[weight].charToGlyph(character).advanceWidth,
    0,
  );
  return (units / unitsPerEm + characters.length * LETTER_SPACING) * fontSize;
}
