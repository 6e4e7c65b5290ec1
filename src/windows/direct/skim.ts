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

/**
 * The places of rows among which are the last ones of each step and series. Rows are compared by the bytes of their series,
 * which takes a tenth of decoding them; so there may be a few more, such as rows with quotes.
 */
export function* lastPlaces(slice: Slice, window: Window, localDays: LocalDays): Pausable<readonly number[]> {
  const { body, ends, times } = slice.rows;
  const stepOf = stepsOf(window.every!, localDays);
  const seriesOf = seriesText(window, body);
  const found: number[] = [];
  let last = new Map<string, number>();
  let step = Number.NaN;
  for (let row = slice.from; row < slice.to; row++) {
    if (row % ROWS_PER_PAUSE === 0) yield;
    const own = stepOf(times![row]!);
    if (own !== step) {
      found.push(...last.values());
      last = new Map();
      step = own;
    }
    const series = seriesOf(row === 0 ? 0 : ends[row - 1]!);
    if (series === null) found.push(row);
    else last.set(series, row);
  }
  found.push(...last.values());
  return found.sort((a, b) => a - b);
}

/** The bytes of a row's series as text; null for a row with a quote in front of their end. */
function seriesText({ dataset }: Window, body: Buffer): (at: number) => string | null {
  const names = new Set(seriesColumns({ dataset } as Window));
  const isSeries = dataset.columns.map(({ name }) => names.has(name));
  const end = isSeries.lastIndexOf(true) + 1;
  return (at) => {
    let text = '';
    let start = at;
    for (let cell = 0; cell < end; cell++) {
      let to = start;
      for (let byte = body[to]!; byte !== COMMA && byte !== LF; byte = body[++to]!)
        if (byte === QUOTE) return null;
      if (isSeries[cell]) text += `${body.toString('latin1', start, to)},`;
      start = to + 1;
    }
    return text;
  };
}
