import type { Aggregation } from './aggregate/aggregation.js';
import type { OutputShape } from './shape.js';
import type { Window } from './window.js';

/** Milliseconds for which an answer that depends on "now" is valid. */
export const NOW_STANDS = 5_000;

/**
 * The same text for equivalent requests, however they are written. A range that ends now is identified by its length, so
 * that the key of `last=10m` is always the same.
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

/** The same text for equivalent shapes. */
export function shapeKey({ format, pad, nullText, header, delimiter }: OutputShape): string {
  return JSON.stringify(format === 'csv' ? [format, pad, nullText, header, delimiter] : [format]);
}

/** Whether the answer changes with time even if the data does not. */
export function isRelative({ time }: Window): boolean {
  return time?.last != null;
}
