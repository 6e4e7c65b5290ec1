import { decodeRow } from '../csv/decode.js';
import { instantOfItem } from '../csv/item-time.js';
import type { Cell } from '../csv/rows.js';
import { rowEnd } from '../csv/scan.js';
import type { Content, Dataset } from '../datasets/dataset.js';
import { NoTimeColumn } from './errors.js';
import { named } from './parameters.js';

/** Rows whose values are looked at. */
const SAMPLE = 200;

/**
 * Names that a time goes by, the likeliest first, in small letters without separators. An item's creation is what `last`
 * asks for most; an end that lies ahead, hardly ever.
 */
const NAMES: readonly RegExp[] = [
  /^(created?|inserted)(at|on|date|time|ts|timestamp)?$/,
  /^(ts|timestamp|time|datetime|epoch|date)$/,
  /^(event|measured|recorded|occurred|sent|received|started|start|observed)(at|on|date|time|ts|timestamp)?$/,
  /^(updated?|modified|changed|lastmodified|lastupdated?)(at|on|date|time|ts|timestamp)?$/,
  /(at|time|ts|timestamp|date)$/,
];
const ENDS = /^(ttl|expir|ends?|until|valid|due|delete)/;

/** The error with what makes the dataset have times: the column that looks like one, and the option to add. */
export async function withTimeHint(error: NoTimeColumn, dataset: Dataset): Promise<NoTimeColumn> {
  const { optionsAt } = dataset;
  if (optionsAt === undefined) return error;
  const column = likelyTime(await dataset.content());
  const otherwise = error.remedy === null ? '' : `, or ${error.remedy}`;
  return column === null
    ? new NoTimeColumn(
        error.message,
        `name the attribute that is the time of an item with the option time of ${optionsAt}${otherwise}`,
      )
    : new NoTimeColumn(
        `${error.message}, but ${named(column)} looks like one`,
        `add time: ${inYaml(column)} to the options of ${optionsAt}${otherwise}`,
      );
}

/** The column that most likely is the time of the items: by its name and its values, or by its values alone. */
function likelyTime({ columns, bytes }: Content): string | null {
  const rows = sampleOf(bytes);
  const candidates = columns.flatMap((column, index) => {
    const rank = timeRank(
      column.name,
      rows.flatMap((cells) => cells[index] ?? []),
    );
    return rank === null ? [] : [{ name: column.name, rank }];
  });
  return candidates.sort((a, b) => a.rank - b.rank)[0]?.name ?? null;
}

/** How likely an attribute is the time of its item: the lower the likelier; null: it is none. `values`: some of its values. */
export function timeRank(name: string, values: readonly string[]): number | null {
  if (values.length === 0 || !values.every((value) => instantOfItem(value, null) !== null)) return null;
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const byName = NAMES.findIndex((pattern) => pattern.test(letters));
  if (byName !== -1 && !ENDS.test(letters)) return byName;
  // A number may be anything.
  return values.every((value) => /^\d+(\.\d+)?$/.test(value)) && byName === -1 ? null : NAMES.length;
}

function sampleOf(bytes: Buffer): Cell[][] {
  const rows: Cell[][] = [];
  let from = rowEnd(bytes, 0);
  while (from > 0 && from < bytes.length && rows.length < SAMPLE) {
    const end = rowEnd(bytes, from);
    rows.push(decodeRow(bytes.subarray(from, end)));
    from = end;
  }
  return rows;
}

/** As a value in YAML; what could be read as something else stands in quotes. */
function inYaml(name: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(name) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
