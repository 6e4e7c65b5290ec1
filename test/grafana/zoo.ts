import type { AttributeValue, ScalarAttributeType } from '@aws-sdk/client-dynamodb';
import type { TestDynamoDb } from '../support/dynalite.js';

/** Tables of every kind that a stranger may bring, each with the options it is read with. */

type Item = Readonly<Record<string, AttributeValue>>;

export interface ZooTable {
  readonly name: string;
  readonly keys: Readonly<Record<string, ScalarAttributeType>>;
  /** The options in the configuration file, as YAML in one line. */
  readonly options: string;
  readonly items: readonly Item[];
}

const S = (text: string): AttributeValue => ({ S: text });
const N = (number: number | string): AttributeValue => ({ N: String(number) });
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const both = '{ log: true, changes: true }';

const HOSTILE = [
  'a,b',
  'say "hi"',
  'a\nb',
  '{x}',
  '-minus',
  'limit',
  'where.x',
  'x__gt',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana, as a name
  '${__from}',
  '[[y]]',
  'back\\slash',
  '=1+1',
  ' space ',
  '数',
  'a.b[0]',
  '<b>',
  '{{ .Value }}',
  'x=avg:y',
];

export const zoo: readonly ZooTable[] = [
  {
    name: 'sensors',
    keys: { device: 'S' },
    options: both,
    items: times(5, (i) => ({
      device: S(`device ${i}`),
      temperature_celsius: N(20 + i / 10),
      humidity_percent: N(40 + i),
    })),
  },
  {
    name: 'readings',
    keys: { device: 'S', seq: 'N' },
    options: '{ log: true }',
    items: times(30, (i) => ({ device: S(`d${i % 3}`), seq: N(i), latency_ms: N(i * 1.5) })),
  },
  {
    name: 'orders',
    keys: { order_id: 'S' },
    options: '{ changes: true }',
    items: times(120, (i) => ({
      order_id: S(`o-${i}`),
      total_price: N((i * 7.25).toFixed(2)),
      items: N(i % 5),
      status: S('open'),
    })),
  },
  {
    name: 'wide',
    keys: { id: 'S' },
    options: '{ changes: true }',
    items: times(3, (i) => ({
      id: S(`w${i}`),
      ...Object.fromEntries(times(300, (n) => [`an_attribute_with_a_long_name_${n}`, N(n * i)])),
    })),
  },
  {
    name: 'nested',
    keys: { id: 'N' },
    options: '{}',
    items: times(4, (i) => ({
      id: N(i),
      address: { M: { city: S('Seoul'), zip: { L: [N(1), N(2)] } } },
      tags: { SS: ['a', 'b'] },
      any: i % 2 === 0 ? { L: [] } : { NULL: true },
    })),
  },
  { name: 'empty', keys: { id: 'S' }, options: both, items: [] },
  { name: 'one-item', keys: { id: 'S' }, options: both, items: [{ id: S('only'), amount: N(1) }] },
  {
    name: 'no-numbers',
    keys: { id: 'S' },
    options: '{ log: true }',
    items: times(7, (i) => ({ id: S(`n${i}`), word: S('x'), flag: { BOOL: true } })),
  },
  {
    name: 'only-keys',
    keys: { a: 'S', b: 'N' },
    options: both,
    items: times(9, (i) => ({ a: S(`a${i % 2}`), b: N(i) })),
  },
  {
    name: 'binary-keys',
    keys: { hash: 'B' },
    options: both,
    items: times(6, (i) => ({ hash: { B: Uint8Array.of(i, 255, 62, 63) }, bytes: N(i * 1_000) })),
  },
  {
    name: 'hostile-names',
    keys: { id: 'S' },
    options: both,
    items: times(4, (i) => ({
      id: S(`h${i}`),
      ...Object.fromEntries(HOSTILE.map((name, n) => [name, N(n + i)])),
    })),
  },
  {
    name: 'hostile-values',
    keys: { id: 'S' },
    options: '{ log: true }',
    items: HOSTILE.map((value, i) => ({ id: S(value), count: N(i), text: S(value) })),
  },
  {
    name: 'number-keys',
    keys: { zone: 'N' },
    options: both,
    items: times(12, (i) => ({ zone: N(`1234567890123456789012345678${10 + i}`), count: N(i) })),
  },
  {
    name: 'many-keys',
    keys: { taxi_id: 'N' },
    options: both,
    items: times(600, (i) => ({ taxi_id: N(i), speed: N(i % 50) })),
  },
  {
    name: 'large-numbers',
    keys: { id: 'S' },
    options: '{}',
    items: [
      { id: S('a'), balance: N('99999999999999999999999999999999999999') },
      { id: S('b'), balance: N('0.00000000000000000001') },
    ],
  },
  {
    name: 'fat-rows',
    keys: { id: 'S' },
    options: '{}',
    items: times(4, (i) => ({ id: S(`f${i}`), body: S('x'.repeat(90_000)), size_bytes: N(90_000) })),
  },
  {
    name: `dots.and-dashes_${'x'.repeat(180)}`,
    keys: { id: 'S' },
    options: both,
    items: [{ id: S('a'), cost_usd: N(3) }],
  },
  {
    name: 'events',
    keys: { event_id: 'S' },
    options: '{ time: created_at }',
    items: times(40, (i) => ({
      event_id: S(`e${i}`),
      created_at: S(new Date(Date.now() - i * 60_000).toISOString()),
      amount_usd: N(i),
    })),
  },
  {
    name: 'appended',
    keys: { device: 'S', ts: 'N' },
    options: '{ time: ts, log: append }',
    items: times(40, (i) => ({
      device: S(`d${i % 4}`),
      ts: N(Math.floor(Date.now() / 1_000) - i * 60),
      temperature: N(20 + i),
    })),
  },
  {
    name: 'two-few-keys',
    keys: { region: 'S', 'device-id': 'S' },
    options: both,
    items: times(8, (i) => ({ region: S(`r${i % 2}`), 'device-id': S(`x${i}`), load: N(i) })),
  },
  {
    name: 'sparse',
    keys: { id: 'S' },
    options: '{ changes: true }',
    items: times(20, (i) => ({ id: S(`s${i}`), [`only_${i}`]: N(i) })),
  },
  {
    name: 'our-own-names',
    keys: { value: 'S' },
    options: both,
    items: times(3, (i) => ({
      value: S(`v${i}`),
      ...Object.fromEntries(
        [
          'Time',
          'Value',
          'rows',
          'changes',
          'change',
          'since',
          'previous_rows',
          'lowest',
          'average',
          'columns',
          'format',
        ].map((name) => [name, N(i)]),
      ),
    })),
  },
];

/** A view of the zoo, with a time of its own. */
export const ZOO_VIEW = `-- Orders with a time of their own.
-- time: created_at
-- keys: order_id
SELECT order_id, total_price, TIMESTAMPTZ '2026-01-01 00:00:00Z' + to_seconds(row_number() OVER (ORDER BY order_id)) AS created_at
FROM orders
`;

/** The configuration file of the service that reads the zoo. */
export function zooConfig(): string {
  const lines = zoo.map(
    ({ name, options }) =>
      `  ${JSON.stringify(name)}: ${options === '{}' ? '{ interval: 5s }' : options.replace('{', '{ interval: 5s,')}`,
  );
  return `tables:\n${lines.join('\n')}\n`;
}

/** Creates the tables with their items. */
export async function createZoo(database: TestDynamoDb): Promise<void> {
  for (const { name, keys, items } of zoo) {
    await database.createTable(keys, name);
    await database.put(name, [...items]);
  }
}

/** Writes one more item to each table that has any, so that there are changes to see. */
export async function changeZoo(database: TestDynamoDb): Promise<void> {
  for (const { name, keys, items } of zoo) {
    const [first] = items;
    if (first === undefined) continue;
    await database.put(name, [{ ...first, ...changed(first, Object.keys(keys)) }]);
  }
}

/** The numbers of an item that are no keys, each one more. */
function changed(item: Item, keys: readonly string[]): Item {
  const numbers = Object.entries(item).filter(
    ([name, { N: number }]) => number !== undefined && !keys.includes(name),
  );
  return Object.fromEntries(
    numbers.map(([name, { N: number }]) => [name, N(Number(number) < 1e9 ? Number(number) + 1 : 7)]),
  );
}
