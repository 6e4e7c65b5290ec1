import { formatDuration } from '../base/durations.js';
import { formatBytes } from '../base/sizes.js';
import { textTable } from '../base/text-table.js';
import { pollsPerMonth } from '../sources/billing.js';
import type { SourceCheck } from '../sources/kind.js';

/** What `--check` found out about one source, view or lookup. What is not known is null. */
export interface CheckRow extends SourceCheck {
  /** The published name. */
  readonly dataset: string;
  /** Where it comes from: `table flag-dynamodb`, `instances`, `config/views/rides-today.sql`. */
  readonly source: string;
  /** Milliseconds; null for what is not polled. */
  readonly interval: number | null;
}

interface Field {
  readonly title: string;
  readonly right: boolean;
  text(row: CheckRow): string;
}

const NOTHING = '-';

const FIELDS: readonly Field[] = [
  { title: 'dataset', right: false, text: (row) => row.dataset },
  { title: 'source', right: false, text: (row) => row.source },
  { title: 'key', right: false, text: (row) => row.keys ?? NOTHING },
  { title: 'items', right: true, text: (row) => formatCount(row.items) },
  { title: 'size', right: true, text: (row) => (row.bytes === null ? NOTHING : formatBytes(row.bytes)) },
  {
    title: 'every',
    right: true,
    text: (row) => (row.interval === null ? NOTHING : formatDuration(row.interval)),
  },
  { title: 'units/poll', right: true, text: (row) => formatCount(row.unitsPerPoll) },
  { title: 'units/month', right: true, text: (row) => formatCount(unitsPerMonth(row)) },
  { title: 'USD/month', right: true, text: (row) => formatDollars(row.pricePerMonth) },
  { title: 'wrong', right: false, text: (row) => row.problem ?? row.notice ?? 'nothing' },
];

/** Columns of numbers. */
const NUMBERS = FIELDS.flatMap(({ right }, column) => (right ? [column] : []));

/**
 * A table in plain text with a line of sums below it, and one with the budget in US dollars per month if there is one; ends
 * in a line break.
 */
export function formatCheckReport(rows: readonly CheckRow[], budget: number | null = null): string {
  const cells = rows.map((row) => FIELDS.map((field) => field.text(row)));
  const sums = FIELDS.map(({ title }) => {
    if (title === 'dataset') return 'together';
    if (title === 'units/month') return formatCount(sum(rows.map(unitsPerMonth)));
    return title === 'USD/month' ? formatDollars(sum(rows.map((row) => row.pricePerMonth))) : '';
  });
  const table = [FIELDS.map(({ title }) => title), ...cells, sums];
  const lines = textTable(table, NUMBERS);
  // As wide as the heads: what is wrong may be much longer.
  const rule = '-'.repeat(lines[0]?.length ?? 0);
  const limit =
    budget === null ? [] : [`budget: USD ${formatDollars(budget)} a month, by which intervals are chosen`];
  return `${[lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1), ...limit].join('\n')}\n`;
}

function unitsPerMonth(row: CheckRow): number | null {
  return row.interval === null || row.unitsPerPoll === null
    ? null
    : row.unitsPerPoll * pollsPerMonth(row.interval);
}

/** The sum of what is known; null when nothing is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** 87600 → `87,600`; 0.5 → `0.5`. */
export function formatCount(value: number | null): string {
  return value === null
    ? NOTHING
    : value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** Cents, and for less than a cent that it is less: `< 0.01`. */
export function formatDollars(value: number | null): string {
  if (value === null) return NOTHING;
  return value > 0 && value < 0.01
    ? '< 0.01'
    : value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
