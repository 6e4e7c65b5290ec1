import fc from 'fast-check';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { Parameters } from '../../src/datasets/queries.js';
import { text } from '../csv/cells.js';
import { NOW } from './duckdb-table.js';
import { plainDecimal } from './tables.js';

/** Datasets and windows of them, as hostile as a table, a lookup and a reader can make them. */

export interface Subject {
  readonly kind: 'snapshot' | 'log';
  readonly columns: readonly Column[];
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly rows: readonly (readonly Cell[])[];
}

/** A dataset with what is asked of it. */
export interface Case {
  readonly subject: Subject;
  readonly questions: readonly Parameters[];
}

const MINUTE = 60_000;

/** Nights in which New York's and London's clocks change, and this very minute. */
const MOMENTS = [
  NOW,
  Date.parse('2026-11-01T05:30:00Z'),
  Date.parse('2026-03-08T06:30:00Z'),
  Date.parse('2026-10-25T00:30:00Z'),
  Date.parse('2026-04-04T14:30:00Z'),
];

const instant = fc.oneof(
  fc
    .tuple(fc.constantFrom(...MOMENTS), fc.integer({ min: -60, max: 60 }))
    .map(([moment, steps]) => moment + steps * 47 * MINUTE),
  fc
    .tuple(fc.constantFrom(NOW, MOMENTS[1]!), fc.integer({ min: -3, max: 3 }))
    .map(([moment, steps]) => moment + steps),
  fc.integer({ min: -12, max: 1 }).map((steps) => NOW + steps * 5 * MINUTE),
);

const iso = (at: number) => new Date(at).toISOString();

const digits = fc.stringMatching(/^[1-9][0-9]{14,37}$/);

/** A kind of column: its type, and what its cells hold. */
interface Kind {
  readonly type: Column['type'];
  readonly seen?: false;
  readonly cell: fc.Arbitrary<string>;
}

const KINDS: readonly Kind[] = [
  { type: 'string', cell: fc.oneof(text, fc.constantFrom('', 'a', 'b', 'A', 'null', 'NaN', '10', '9')) },
  { type: 'string', cell: fc.constantFrom('dispatch', 'pickup', 'timestamp', '', '\uFEFFa', 'é', '\0') },
  { type: 'number', cell: fc.integer({ min: -3, max: 12 }).map(String) },
  { type: 'number', cell: fc.constantFrom('1.5', '-0.25', '100', '0.1', '0.30000000000000004', '2') },
  {
    type: 'number',
    cell: fc.constantFrom('7.5', '7.50', '7.500', '007', '5.', '1e5', '1E-3', '-0', '0', '100000'),
  },
  { type: 'number', cell: fc.constantFrom('1e+20', '1e-05', '1.5e-07', '100000000000000000000', '1') },
  {
    type: 'number',
    cell: fc.oneof(plainDecimal, digits, fc.constantFrom('9007199254740993', '9007199254740992')),
  },
  // Values of another type among numbers and booleans, some of which look nearly like one.
  {
    type: 'number',
    cell: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: -3, max: 12 }).map(String) },
      { weight: 1, arbitrary: text },
      {
        weight: 1,
        arbitrary: fc.constantFrom('N/A', '1,5', '.5', '+5', ' 5', '0x1F', 'NaN', 'inf', '1_0', '5\n', 'é'),
      },
    ),
  },
  { type: 'number', cell: fc.constantFrom('0.30000000000000004', '2', 'two', 'true', '1e5', '1e', '"7"') },
  { type: 'boolean', cell: fc.constantFrom('true', 'false', 'TRUE', '1', 'a,b', '') },
  { type: 'boolean', cell: fc.boolean().map(String) },
  { type: 'time', cell: instant.map(iso) },
  { type: 'time', cell: instant.map((at) => iso(at).replace('.000Z', 'Z')) },
  { type: 'time', cell: fc.constantFrom('2026-11-24T10:00:00+01:00', '2026-11-24', iso(NOW)) },
  { type: 'string', seen: false, cell: fc.constant('never') },
];

const name = fc.oneof(
  text,
  fc.constantFrom(
    'count',
    'Count',
    'COUNT',
    'zone',
    'limit',
    'where.limit',
    'a__gt',
    '-a',
    'a,b',
    'timestamp',
    'x',
  ),
);

/** Absent in some columns often, in others never. */
function cellOf({ seen, cell }: Kind): fc.Arbitrary<Cell> {
  return seen === false ? fc.constant(null) : fc.option(cell, { freq: 6 });
}

const TIME: Column = { name: 'timestamp', type: 'time', seen: true };

/** When the rows are: in order as a log's are, or in any; all of them, or with gaps. */
const times = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(instant, { maxLength: 24 }).map((all) => all.sort((a, b) => a - b).map(iso)),
  },
  { weight: 1, arbitrary: fc.array(fc.option(instant.map(iso), { freq: 8 }), { maxLength: 24 }) },
  {
    weight: 1,
    arbitrary: fc.array(
      instant.chain((at) => fc.constantFrom(iso(at), iso(at).replace('.000Z', 'Z'))),
      { maxLength: 24 },
    ),
  },
);

/** A snapshot whose items have a time of their own: in any order, with gaps. */
const ownTimes = fc.array(fc.option(instant.map(iso), { freq: 8 }), { maxLength: 24 });

const columns = fc
  .array(fc.record({ name, kind: fc.constantFrom(...KINDS) }), { minLength: 1, maxLength: 5 })
  .map((all) => all.filter((column, i) => all.findIndex((other) => other.name === column.name) === i));

const plain = columns.chain((own) => subjectOf('snapshot', own, null, { maxLength: 16 }));
const log = fc
  .tuple(columns, times)
  .chain(([own, cells]) => subjectOf('log', own, { place: own.length, cells }, ofLength(cells)));
const timed = fc
  .tuple(columns, ownTimes, fc.nat(5))
  .chain(([own, cells, place]) => subjectOf('snapshot', own, { place, cells }, ofLength(cells)));

export const subject: fc.Arbitrary<Subject> = fc.oneof(plain, log, timed);

function ofLength({ length }: readonly Cell[]) {
  return { minLength: length, maxLength: length };
}

/** A dataset of these columns; `time`: its time column's place among them, and its cells. */
function subjectOf(
  kind: Subject['kind'],
  all: readonly { readonly name: string; readonly kind: Kind }[],
  time: { readonly place: number; readonly cells: readonly Cell[] } | null,
  length: { readonly minLength?: number; readonly maxLength: number },
): fc.Arbitrary<Subject> {
  const own = time === null ? all : all.filter((column) => column.name !== TIME.name);
  const described = own.map(({ name, kind }) => ({ name, type: kind.type, seen: kind.seen ?? true }));
  const withTime = <T>(list: readonly T[], value: T) =>
    time === null ? [...list] : [...list.slice(0, time.place), value, ...list.slice(time.place)];
  return fc.record({
    kind: fc.constant(kind),
    columns: fc.constant(withTime<Column>(described, TIME)),
    keys: fc.subarray(
      described.map((column) => column.name),
      { maxLength: Math.min(2, described.length) },
    ),
    timeColumn: fc.constant(time === null ? null : TIME.name),
    rows: fc
      .array(fc.tuple(...own.map(({ kind }) => cellOf(kind))), length)
      .map((rows) => rows.map((cells, i) => withTime<Cell>(cells, time?.cells[i] ?? null))),
  });
}

const OPERATORS = ['', '__ne', '__gt', '__gte', '__lt', '__lte', '__in', '__contains', '__isnull'] as const;

function quoted(item: string): string {
  return `"${item.replaceAll('"', '""')}"`;
}

type Parameter = readonly [string, string];

/** A filter on a column, most often with a value that a row has. */
function filterOn({ columns, rows }: Subject): fc.Arbitrary<Parameter> {
  return fc.integer({ min: 0, max: columns.length - 1 }).chain((index) => {
    const column = columns[index]!;
    const present = rows.map((row) => row[index] ?? null).filter((cell) => cell !== null);
    const any = fc.oneof(
      plainDecimal,
      text,
      fc.constantFrom('', 'true', '7.5', iso(NOW), '2026-11-24T10:30'),
    );
    const value =
      present.length === 0
        ? any
        : fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...present) }, { weight: 1, arbitrary: any });
    return fc
      .tuple(fc.constantFrom(...OPERATORS), fc.array(value, { minLength: 1, maxLength: 3 }))
      .map(([operator, values]) => {
        const written =
          operator === '__in'
            ? values.map(quoted).join()
            : operator === '__isnull'
              ? String(values.length > 1)
              : values[0]!;
        return [`where.${column.name}${operator}`, written];
      });
  });
}

function timeRange(): fc.Arbitrary<readonly Parameter[]> {
  return fc.oneof(
    fc.constantFrom('10m', '45s', '1d', '300d', '1ms').map((last): Parameter[] => [['last', last]]),
    instant.map((from): Parameter[] => [['from', String(from)]]),
    instant.map((to): Parameter[] => [['to', iso(to)]]),
    fc.tuple(instant, instant).map(([a, b]): Parameter[] => [
      ['from', String(Math.min(a, b))],
      ['to', String(Math.max(a, b))],
    ]),
  );
}

/** `freq`: as often absent as `1 / (freq + 1)`. */
function sometimes(
  parameters: fc.Arbitrary<readonly Parameter[]>,
  freq: number,
): fc.Arbitrary<readonly Parameter[]> {
  return fc.oneof({ weight: freq, arbitrary: parameters }, { weight: 4 - freq, arbitrary: fc.constant([]) });
}

function one(name: string, value: fc.Arbitrary<string>): fc.Arbitrary<readonly Parameter[]> {
  return value.map((text) => [[name, text]]);
}

function namesIn(subject: Subject): fc.Arbitrary<string> {
  const values = subject.rows.flatMap((row) => row.filter((cell) => cell !== null));
  const names = fc.constantFrom(...subject.columns.map((column) => column.name));
  return values.length === 0
    ? names
    : fc.oneof({ weight: 4, arbitrary: names }, { weight: 1, arbitrary: fc.constantFrom(...values) });
}

function questionOn(subject: Subject): fc.Arbitrary<Parameters> {
  const { columns, timeColumn } = subject;
  const names = fc.array(namesIn(subject), { minLength: 1, maxLength: 3 });
  const own = fc.subarray(
    columns.map(({ name }) => quoted(name)),
    { minLength: 1 },
  );
  const numbers = columns.filter(({ type, seen }) => type === 'number' || !seen);
  const pivot = fc
    .tuple(fc.constantFrom(...columns), fc.constantFrom(...(numbers.length === 0 ? columns : numbers)))
    .map(([by, value]) => `${by.name}:${value.name}`);
  const isLog = timeColumn !== null;
  return fc
    .tuple(
      fc.array(filterOn(subject), { maxLength: 2 }),
      sometimes(timeRange(), isLog ? 2 : 0),
      sometimes(one('every', fc.constantFrom('5m', '7m', '6h', '1d', '2d', '1w')), isLog ? 1 : 0),
      sometimes(one('pivot', pivot), 1),
      sometimes(
        fc
          .tuple(names, fc.boolean())
          .map(([all, down]): Parameter[] => [
            ['sort', all.map((item) => quoted(`${down ? '-' : ''}${item}`)).join()],
          ]),
        2,
      ),
      sometimes(
        one(
          'columns',
          fc.oneof(
            own.map((all) => all.join()),
            names.map((all) => all.map(quoted).join()),
          ),
        ),
        1,
      ),
      sometimes(one('limit', fc.integer({ min: 0, max: 9 }).map(String)), 1),
      sometimes(one('offset', fc.integer({ min: 0, max: 5 }).map(String)), 1),
      sometimes(one('pad', fc.constant('1')), 2),
      sometimes(one('null', fc.constantFrom('null', '', 'n,a', '"', 'é', '-')), 2),
      sometimes(one('header', fc.constantFrom('false', '1')), 1),
      sometimes(one('delimiter', fc.constantFrom(';', 'tab', 'é', '-', '.', '1', 'T', '|')), 1),
      sometimes(one('format', fc.constantFrom('json', 'csv')), 2),
    )
    .map((parts) => parts.flat());
}

const FUNCTIONS = [
  'avg',
  'min',
  'max',
  'sum',
  'count',
  'first',
  'last',
  'median',
  'p95',
  'p99',
  'stddev',
  'distinct',
  'increase',
  'rate',
] as const;
const ON_ANYTHING: readonly string[] = ['count', 'distinct', 'first', 'last'];

/** Aggregates, most of them of columns that they fit. */
function aggregateOn(subject: Subject): fc.Arbitrary<string> {
  const { columns } = subject;
  const numbers = columns.filter(({ type, seen }) => type === 'number' || !seen);
  const any = fc
    .tuple(fc.constantFrom(...ON_ANYTHING), fc.constantFrom(...columns))
    .map(([name, column]) => `${name}:${column.name}`);
  const ofNumbers =
    numbers.length === 0
      ? any
      : fc
          .tuple(fc.constantFrom(...FUNCTIONS), fc.constantFrom(...numbers))
          .map(([name, column]) => `${name}:${column.name}`);
  return fc.oneof(
    { weight: 6, arbitrary: ofNumbers },
    { weight: 3, arbitrary: any },
    { weight: 1, arbitrary: fc.constantFrom('count', 'rows=count', 'avrg:x', 'max:timestamp') },
  );
}

function aggregationOn(subject: Subject): fc.Arbitrary<Parameters> {
  const { columns, timeColumn } = subject;
  const isLog = timeColumn !== null;
  const own = columns.map(({ name }) => name).filter((name) => name !== timeColumn);
  const by = fc.subarray(own, { maxLength: Math.min(2, own.length) });
  const aggregates = fc.uniqueArray(aggregateOn(subject), { minLength: 1, maxLength: 4 });
  return fc.tuple(by, aggregates).chain(([keys, items]) => {
    const names = [...keys, ...items.map((_, index) => `r${index}`)];
    // Names of its own, so that few windows are refused for two equal ones.
    const agg = items.map((item, index) => quoted(item.includes('=') ? item : `r${index}=${item}`)).join();
    return fc
      .tuple(
        sometimes(timeRange(), isLog ? 2 : 0),
        sometimes(one('every', fc.constantFrom('5m', '7m', '6h', '1d', '2d', '1w')), isLog ? 3 : 0),
        sometimes(one('fill', fc.constantFrom('null', '0', 'previous')), isLog ? 2 : 0),
        sometimes(
          one(
            'pivot',
            fc.constantFrom(...names).map((name) => `${name}:r0`),
          ),
          1,
        ),
        sometimes(one('sort', fc.constantFrom(...names, ...names.map((name) => `-${name}`)).map(quoted)), 1),
        sometimes(one('limit', fc.integer({ min: 0, max: 9 }).map(String)), 1),
        sometimes(
          one(
            'columns',
            fc.subarray(names.map(quoted), { minLength: 1 }).map((all) => all.join()),
          ),
          1,
        ),
        sometimes(one('null', fc.constantFrom('null', '0')), 1),
        sometimes(one('format', fc.constantFrom('json', 'csv')), 1),
      )
      .map(
        (parts): Parameters => [
          ['agg', agg],
          ...(keys.length === 0 ? [] : [['by', keys.map(quoted).join()] as const]),
          ...parts.flat(),
        ],
      );
  });
}

/** `questions`: how many windows are asked of each dataset. */
export function caseOf(questions: number): fc.Arbitrary<Case> {
  return subject.chain((one) =>
    fc.record({
      subject: fc.constant(one),
      questions: fc.array(fc.oneof(questionOn(one), aggregationOn(one)), {
        minLength: questions,
        maxLength: questions,
      }),
    }),
  );
}
