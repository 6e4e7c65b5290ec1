import type { CastingContext } from 'csv-stringify';
import { stringify } from 'csv-stringify/sync';
import { createYielder } from '../../base/event-loop.js';
import { decodeRow } from '../../csv/decode.js';
import type { Cell } from '../../csv/rows.js';
import { rowEnd } from '../../csv/scan.js';
import { shapeCsv } from '../../csv/shape.js';
import type { Dataset } from '../../datasets/dataset.js';
import type { Answer, Parameters, Query } from '../../datasets/queries.js';
import { badParameter } from '../../windows/errors.js';
import { lastOf, SPREADSHEET_PARAMETERS, shown, switchOf } from '../../windows/parameters.js';
import { type OutputShape, parseShape } from '../../windows/shape.js';

/** How CSV is written for people who open it in a spreadsheet. */
export interface SpreadsheetOptions {
  /** `bom=1`: begins with a byte order mark, without which Excel takes UTF-8 for another encoding. */
  readonly bom: boolean;
  /** `quote=all`: quotes every cell, so that `00042` and `1-2` stay what they are in programs that mind. */
  readonly quoteAll: boolean;
  /**
   * `safe=1`: puts an apostrophe before text that a spreadsheet would run as a formula.
   * https://owasp.org/www-community/attacks/CSV_Injection
   */
  readonly safe: boolean;
}

/** What a request asks for besides its query. */
export interface SpreadsheetRequest {
  readonly options: SpreadsheetOptions;
  readonly shape: OutputShape;
  /** The query's own parameters. */
  readonly rest: Parameters;
}

/** Null: the request has nothing to do with spreadsheets. Throws `BAD_PARAMETER` (400). */
export function spreadsheetOf(parameters: Parameters): SpreadsheetRequest | null {
  const isOne = (name: string) => (SPREADSHEET_PARAMETERS as readonly string[]).includes(name);
  if (!parameters.some(([name]) => isOne(name))) return null;
  const options = {
    bom: switchOf('bom', lastOf(parameters, 'bom'), false),
    quoteAll: quoteOf(lastOf(parameters, 'quote')),
    safe: switchOf('safe', lastOf(parameters, 'safe'), false),
  };
  // The delimiter is applied where cells are written.
  const rest = parameters.filter(([name]) => !isOne(name) && name !== 'delimiter');
  return { options, shape: parseShape(parameters), rest };
}

function quoteOf(text: string | undefined): boolean {
  if (text === undefined || text === 'minimal') return false;
  if (text === 'all') return true;
  throw badParameter(`quote: ${shown(text)} is not a way to quote`, 'write quote=all, or leave quote out');
}

/** A whole dataset as a query: what is asked for without a window. Rejects as `Dataset.content` does, when it is run. */
export function wholeDataset(dataset: Dataset, parameters: Parameters): Query {
  const shape = parseShape(parameters);
  return {
    key: `whole\n${dataset.name}\n${shape.pad}\n${shape.nullText}`,
    version: dataset.version ?? '',
    until: null,
    contentType: 'text/csv; charset=utf-8',
    readAt: dataset.status().readAt,
    run: async () => {
      const content = await dataset.content();
      return { columns: content.columns, body: whole(await shapeCsv(content, shape)) };
    },
  };
}

async function* whole(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/**
 * The query with its CSV written for spreadsheets; JSON and Parquet stay as they are. The query has commas and its own
 * header line; `shape` says what the written CSV has.
 */
export function forSpreadsheet(
  query: Query,
  options: SpreadsheetOptions,
  shape: Pick<OutputShape, 'delimiter' | 'header'>,
): Query {
  if (!query.contentType.startsWith('text/csv')) return query;
  const { bom, quoteAll, safe } = options;
  const { atOnce: _, ...computed } = query;
  return {
    ...computed,
    key: JSON.stringify(['spreadsheet', bom, quoteAll, safe, shape.delimiter, query.key]),
    run: async (signal) => {
      const answer = await query.run(signal);
      return { columns: answer.columns, body: rewritten(answer, options, shape) };
    },
  };
}

/** Bytes of rows that are written at a time: a few milliseconds. */
const BATCH = 64 * 1_024;

async function* rewritten(
  { columns, body }: Answer,
  options: SpreadsheetOptions,
  { delimiter, header }: Pick<OutputShape, 'delimiter' | 'header'>,
): AsyncGenerator<Buffer> {
  const isText = columns.map(({ type }) => type === 'string');
  const breathe = createYielder();
  let isFirst = true;
  for await (const rows of batches(body)) {
    const written = stringify(options.quoteAll ? rows.map((row) => row.map((cell) => cell ?? '')) : rows, {
      delimiter,
      bom: options.bom && isFirst,
      quoted: options.quoteAll,
      // An empty text stays apart from an absent value.
      quoted_match: /^$/,
      escape_formulas: options.safe,
      cast: { string: castOf(options, isText, header && isFirst) },
    });
    isFirst = false;
    yield Buffer.from(written);
    await breathe();
  }
}

/** A negative number is no formula; the header is text, whatever its column is. */
function castOf({ safe }: SpreadsheetOptions, isText: readonly boolean[], hasHeader: boolean) {
  return (value: string, { column, records }: CastingContext) =>
    safe && !isText[column as number] && !(hasHeader && records === 0)
      ? { value, escape_formulas: false }
      : value;
}

/** The decoded rows of the CSV, as many at a time as take some milliseconds. */
async function* batches(body: AsyncIterable<Buffer>): AsyncGenerator<Cell[][]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of body) {
    const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
    let at = 0;
    for (let batch = batchAt(bytes, at); batch.rows.length > 0; batch = batchAt(bytes, at)) {
      at = batch.end;
      yield batch.rows;
    }
    rest = bytes.subarray(at);
  }
}

/** The rows from there on that are complete. */
function batchAt(bytes: Buffer, from: number): { readonly rows: Cell[][]; readonly end: number } {
  const rows: Cell[][] = [];
  let at = from;
  while (at < bytes.length && at - from < BATCH) {
    const end = rowEnd(bytes, at);
    if (end < 0) break;
    rows.push(decodeRow(bytes.subarray(at, end)));
    at = end;
  }
  return { rows, end: at };
}
