/** Aligns lines of cells in columns two spaces apart. `right`: the columns of numbers. */
export function textTable(lines: readonly (readonly string[])[], right: readonly number[]): string[] {
  const [titles = []] = lines;
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
