import { closest } from '../../../base/closest.js';
import { type MistakeReport, type Path, show } from '../../../options/mistakes.js';
import type { TableOptions } from '../options.js';
import { countCombinations, isRange, MAX_QUERIES, type QueryKey } from './conditions.js';
import { countDates } from './dates.js';
import { isDynamoDbJson, placeholdersOf } from './filter.js';
import type { KeyRange } from './options.js';

/** Reports options about what of a table is read that conflict with each other. */
export function checkReading(options: TableOptions, path: Path, report: MistakeReport): void {
  const { query, index } = options;
  if (query !== undefined) {
    if (index !== undefined)
      report.add({
        path: [...path, 'index'],
        wrong: 'it scans an index, and query reads by key',
        remedy: 'write it as query.index to query the index, or remove query',
      });
    if (options.segments !== undefined)
      report.add({
        path: [...path, 'segments'],
        wrong: 'it has no effect on a query',
        remedy: 'remove it',
      });
    checkKey(query, [...path, 'query'], report);
    checkSince(options, path, report);
  }
  checkFilter(options.filter, [...path, 'filter'], report);
}

type Query = NonNullable<TableOptions['query']>;

function checkKey({ key }: Query, path: Path, report: MistakeReport): void {
  if (key === undefined || Object.keys(key).length === 0) {
    if (!report.isWrong([...path, 'key']))
      report.add({
        path: [...path, 'key'],
        wrong: 'it has no key to read',
        remedy: "give the partition key a value, such as key: { day: '{today}' }",
      });
    return;
  }
  for (const [attribute, values] of Object.entries(key as QueryKey)) {
    if (isRange(values)) checkRange(values, [...path, 'key', attribute], report);
  }
  const count = countCombinations(key as QueryKey, countDates);
  if (count <= MAX_QUERIES) return;
  report.add({
    path: [...path, 'key'],
    wrong: `it means ${count.toLocaleString('en-US')} Queries in each poll, more than ${MAX_QUERIES.toLocaleString('en-US')}`,
    remedy: 'list fewer values, or scan an index instead',
  });
}

function checkRange(range: KeyRange, path: Path, report: MistakeReport): void {
  const bounds = Object.keys(range);
  if (bounds.length === 0 && !report.isWrong(path))
    report.add({ path, wrong: 'the range has no bound', remedy: 'write from, to or beginsWith' });
  if (range.beginsWith !== undefined && bounds.length > 1)
    report.add({
      path,
      wrong: 'beginsWith stands alone',
      remedy: 'write either beginsWith, or from and to',
    });
}

function checkSince(options: TableOptions, path: Path, report: MistakeReport): void {
  const { since, overlap, key } = options.query ?? {};
  const add = (at: Path, wrong: string, remedy: string) =>
    report.add({ path: [...path, ...at], wrong, remedy });
  if (since === undefined) {
    if (overlap !== undefined)
      add(
        ['query', 'overlap'],
        'it has no effect without since',
        'name the sort key by since, or remove this',
      );
    return;
  }
  if (key !== undefined && Object.hasOwn(key, since))
    add(
      ['query', 'since'],
      `key has values for ${show(since)} already, so it does not grow`,
      'remove it from key, or remove since',
    );
  if (options.log === false) add(['log'], 'since appends new items to a log', 'remove this, or remove since');
  if (options.changes === true)
    add(
      ['changes'],
      'since reads new items only, so there is nothing to compare',
      'remove it, or remove since',
    );
}

function checkFilter(filter: TableOptions['filter'], path: Path, report: MistakeReport): void {
  if (filter === undefined) return;
  const { expression, names = {}, values = {} } = filter;
  if (expression === undefined) {
    if (!report.isWrong([...path, 'expression']))
      report.add({
        path: [...path, 'expression'],
        wrong: 'the filter has no condition',
        remedy: "write one, such as expression: '#s = :open'",
      });
    return;
  }
  const used = placeholdersOf(expression);
  const given = [...Object.keys(names), ...Object.keys(values)];
  for (const placeholder of used) {
    const list = placeholder.startsWith('#') ? 'names' : 'values';
    if (given.includes(placeholder) || report.isWrong([...path, list])) continue;
    const meant = closest(placeholder, given);
    report.add({
      path: [...path, 'expression'],
      wrong: `${placeholder} is not in ${list}`,
      remedy: meant === undefined ? `add it there` : `did you mean ${meant}?`,
    });
  }
  for (const placeholder of given) {
    if (used.has(placeholder)) continue;
    const list = placeholder.startsWith('#') ? 'names' : 'values';
    report.add({
      path: [...path, list, placeholder],
      wrong: 'the expression does not use it, which DynamoDB refuses',
      remedy: 'remove it',
    });
  }
  for (const [placeholder, value] of Object.entries(values)) {
    if (typeof value !== 'object' || isDynamoDbJson(value)) continue;
    report.add({
      path: [...path, 'values', placeholder],
      wrong: `${show(value)} is not a value in DynamoDB's JSON`,
      remedy: 'write one type and its value, such as { N: "10" } or { L: [{ S: a }] }',
    });
  }
}
