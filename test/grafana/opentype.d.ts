/** The part of opentype.js that the tests use; the package has no types. */
declare module 'opentype.js' {
  namespace opentype {
    interface Font {
      readonly unitsPerEm: number;
      charToGlyph(character: string): { readonly advanceWidth: number };
    }
    /** Throws for a file that is not a font. */
    function parse(buffer: ArrayBuffer): Font;
  }
  export default opentype;
}
