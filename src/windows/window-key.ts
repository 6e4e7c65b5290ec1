import type { Aggregation } from './aggregate/aggregation.js';
import type { OutputShape } from './shape.js';
import type { Window } from './window.js';

/** Milliseconds that an answer which depends on "now" stands. */
export const NOW_STANDS = 5_000;

/**
 * The same text for requests that ask for the same, however they are written. A range that ends now is named by its
 * length, so that the key of `last=10m` is the same whenever it is asked for.
 */
export function windowKey(window: Window, shape: OutputShape): string {
  const { dataset, time, filters, every, aggregation, pivot, sort, offset, limit, columns } = window;
  const range = time === null ? null : time.last !== null ? time.last : [time.from, time.to];
  return JSON.stringify([
    dataset.name,
    range,
    filters.map(({ column, operator, values }) => [column, operator, ...values]),
    every,
    aggregation === null ? null : aggregationKey(aggregation),
    pivot === null ? null : [pivot.by, pivot.value],
    sort.map(({ column, descending }) => [column, descending]),
    offset,
    limit,
    columns,
    shapeKey(shape),
  ]);
}

function aggregationKey({ by, aggregates, fill }: Aggregation): unknown[] {
  return [by, aggregates.map(({ name, function: computes, column }) => [name, computes, column]), fill];
}

/** The same text for shapes that write the same. */
export function shapeKey({ format, pad, nullText, header, delimiter }: OutputShape): string {
  return JSON.stringify(format === 'csv' ? [format, pad, nullText, header, delimiter] : [format]);
}

/** Whether the answer changes with the time although no data does. */
export function isRelative({ time }: Window): boolean {
  return time?.last != null;
}
