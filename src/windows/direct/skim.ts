import type { LocalDays } from '../../base/local-days.js';
import type { Pausable } from '../../base/pausable.js';
import { COMMA, LF, QUOTE } from '../../csv/scan.js';
import { seriesColumns } from '../compile/every-sql.js';
import type { Window } from '../window.js';
import { isOfLasts } from './day-lasts.js';
import { stepsOf } from './every.js';
import type { Slice } from './slice.js';

/** Rows between two pauses. */
const ROWS_PER_PAUSE = 512;

/** Whether a window needs only the last row of each step and series, of rows in the order of time. */
export function isSkimmed(window: Window, { rows, picked }: Slice): boolean {
  return isOfLasts(window) && rows.isInOrder && picked === null;
}

/** Rows with the same cells in the columns that tell series apart. */
interface Series {
  /** Where the first row of it begins. */
  readonly at: number;
  /** The last row of it. */
  row: number;
  /** The step of that row. */
  step: number;
  /** The series of the row after one of this series: polls have their rows in one order. */
  next: Series | null;
}

/**
 * The places of rows among which are the last ones of each step and series. Rows are compared by the bytes of their series,
 * which takes a tenth of decoding them; so there may be a few more, such as rows with quotes.
 */
export function* lastPlaces(slice: Slice, window: Window, localDays: LocalDays): Pausable<readonly number[]> {
  const { body, ends, times } = slice.rows;
  const stepOf = stepsOf(window.every!, localDays);
  const cells = new SeriesCells(window, body);
  const found: number[] = [];
  const known = new Map<string, Series>();
  let inStep: Series[] = [];
  let step = Number.NaN;
  let previous = null as Series | null;
  for (let row = slice.from; row < slice.to; row++) {
    if (row % ROWS_PER_PAUSE === 0) yield;
    const own = stepOf(times![row]!);
    if (own !== step) {
      for (const { row } of inStep) found.push(row);
      inStep = [];
      step = own;
    }
    const at = row === 0 ? 0 : ends[row - 1]!;
    let series = previous?.next ?? null;
    if (series === null || !cells.areSame(series.at, at)) {
      const text = cells.text(at);
      if (text === null) {
        found.push(row);
        continue;
      }
      series = known.get(text) ?? { at, row, step: Number.NaN, next: null };
      known.set(text, series);
      if (previous !== null) previous.next = series;
    }
    if (series.step !== step) inStep.push(series);
    series.row = row;
    series.step = step;
    previous = series;
  }
  for (const { row } of inStep) found.push(row);
  return found.sort((a, b) => a - b);
}

/** The cells of rows that tell series apart. */
class SeriesCells {
  readonly #body: Buffer;
  /** By cell, up to the last one that does. */
  readonly #isSeries: readonly boolean[];

  constructor({ dataset }: Window, body: Buffer) {
    const names = new Set(seriesColumns({ dataset } as Window));
    const isSeries = dataset.columns.map(({ name }) => names.has(name));
    this.#isSeries = isSeries.slice(0, isSeries.lastIndexOf(true) + 1);
    this.#body = body;
  }

  /** The bytes of a row's series as text; null for a row with a quote in front of their end. */
  text(at: number): string | null {
    const body = this.#body;
    let text = '';
    let start = at;
    for (const isSeries of this.#isSeries) {
      let to = start;
      for (let byte = body[to]!; byte !== COMMA && byte !== LF; byte = body[++to]!)
        if (byte === QUOTE) return null;
      if (isSeries) text += `${body.toString('latin1', start, to)},`;
      start = to + 1;
    }
    return text;
  }

  /** Whether two rows have the same text, of which the first one has no quotes. */
  areSame(first: number, second: number): boolean {
    const body = this.#body;
    let x = first;
    let y = second;
    for (const isSeries of this.#isSeries) {
      if (isSeries) {
        for (; body[x] !== COMMA && body[x] !== LF; x++, y++) if (body[x] !== body[y]) return false;
        if (body[y] !== COMMA && body[y] !== LF) return false;
      } else {
        while (body[x] !== COMMA && body[x] !== LF) x++;
        for (; body[y] !== COMMA && body[y] !== LF; y++) if (body[y] === QUOTE) return false;
      }
      x++;
      y++;
    }
    return true;
  }
}
