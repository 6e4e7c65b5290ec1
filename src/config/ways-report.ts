import type { ReadWay } from '../sources/kind.js';
import { type CheckRow, formatCount, formatDollars } from './check-report.js';

/** The ways to read the sources that have several, with the cheapest marked; empty if none has. */
export function formatWays(rows: readonly CheckRow[]): string {
  const compared = rows.filter(({ ways = [] }) => ways.length > 1);
  if (compared.length === 0) return '';
  const lines = compared.flatMap(({ dataset, ways = [] }) =>
    ways.map((way, index) => [
      index === 0 ? dataset : '',
      way.name,
      formatCount(way.unitsPerPoll),
      formatDollars(way.pricePerMonth),
      remarks(way, ways),
    ]),
  );
  const table = [['dataset', 'way to read it', 'units/poll', 'USD/month', ''], ...lines];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((line) => line[column]!.length)));
  const texts = table.map((line) =>
    line
      .map((text, column) =>
        column === 2 || column === 3 ? text.padStart(widths[column]!) : text.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...texts.map(({ length }) => length)));
  return `\n${[texts[0], rule, ...texts.slice(1)].join('\n')}\n`;
}

function remarks(way: ReadWay, ways: readonly ReadWay[]): string {
  const prices = ways.flatMap(({ pricePerMonth }) => pricePerMonth ?? []);
  // For a table that is tiny or provisioned, every way costs the same.
  const cheapest = Math.min(...prices) < Math.max(...prices) ? Math.min(...prices) : Number.NaN;
  return [
    way.isConfigured ? 'configured' : null,
    way.pricePerMonth === cheapest ? 'cheapest' : null,
    way.note,
  ]
    .filter((remark) => remark !== null)
    .join(', ');
}
