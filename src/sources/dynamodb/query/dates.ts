import { LocalDays } from '../../../base/local-days.js';

/** `{today}`, `{yesterday}`, `{today-6}`, `{today-6..today}`, each with an optional format: `{today:yyyyMMdd}`. */
const PLACEHOLDER = /\{([^{}]*)\}/g;
const DAY = /^(today|yesterday|tomorrow)(?:([+-])(\d{1,4}))?$/;
const FORMAT = /^[ywMd/_.#-]*$/;
const OFFSETS: Readonly<Record<string, number>> = { today: 0, yesterday: -1, tomorrow: 1 };

interface Dates {
  /** Days after today, first and last. */
  readonly first: number;
  readonly last: number;
  readonly format: string;
}

/** How dates are written unless a placeholder has a format of its own. */
const ISO_DATE = 'yyyy-MM-dd';

/** Null for text in braces that is not a date. */
function parsePlaceholder(text: string): Dates | null {
  const [days = '', format = ISO_DATE, ...more] = text.split(':');
  const [first, last = first, ...others] = days.split('..').map(offsetOf);
  if (more.length > 0 || others.length > 0 || first == null || last == null) return null;
  return FORMAT.test(format) && /yyyy/.test(format) ? { first, last, format } : null;
}

function offsetOf(text: string): number | null {
  const [, day, sign, number = '0'] = DAY.exec(text.trim()) ?? [];
  if (day === undefined) return null;
  return OFFSETS[day]! + (sign === '-' ? -1 : 1) * Number(number);
}

/** Placeholders in the text that are not dates; with braces. */
export function unknownPlaceholders(text: string): string[] {
  return [...text.matchAll(PLACEHOLDER)].flatMap(([whole, inside = '']) =>
    parsePlaceholder(inside) === null ? [whole] : [],
  );
}

/** How many values `withDates` returns for the text; 0 for a range that ends before it begins. */
export function countDates(text: string): number {
  let count = 1;
  for (const [, inside = ''] of text.matchAll(PLACEHOLDER)) {
    const dates = parsePlaceholder(inside);
    if (dates !== null) count *= Math.max(0, dates.last - dates.first + 1);
  }
  return count;
}

/** The text with its dates filled in, each value once. `today`: a local date, `2026-11-24`. */
export function withDates(text: string, today: string): readonly string[] {
  const [found] = text.matchAll(PLACEHOLDER);
  const dates = found === undefined ? null : parsePlaceholder(found[1] ?? '');
  if (found === undefined || dates === null) return [text];
  const behind = withDates(text.slice(found.index + found[0].length), today);
  const values: string[] = [];
  for (let day = dates.first; day <= dates.last; day += 1) {
    const date = formatted(LocalDays.daysBefore(today, -day), dates.format);
    values.push(...behind.map((rest) => `${text.slice(0, found.index)}${date}${rest}`));
  }
  return [...new Set(values)];
}

function formatted(date: string, format: string): string {
  const [year = '', month = '', day = ''] = date.split('-');
  return format.replace('yyyy', year).replace('MM', month).replace('dd', day);
}
