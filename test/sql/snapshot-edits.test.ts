/** A snapshot that deltas change: SQL follows it by key, and its windows have the bytes of the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFile, encodeRows } from '../../src/csv/encode.js';
import type { Cell, Column } from '../../src/csv/rows.js';
import type { DeltaRecord } from '../../src/sources/source.js';
import { SqlWorld } from '../support/sql-world.js';

const COLUMNS: readonly Column[] = [
  { name: 'zone', type: 'string', seen: true },
  { name: 'id', type: 'number', seen: true },
  { name: 'count', type: 'number', seen: true },
];
const FACTS = {
  keys: ['zone', 'id'],
  cost: { requests: 1, attempts: 1, bytes: 0, readCapacityUnits: 0, metricsRequested: 0 },
};
const compareKeys = (a: readonly Cell[], b: readonly Cell[]) =>
  a[0] === b[0] ? Number(a[1]) - Number(b[1]) : Buffer.compare(Buffer.from(a[0]!), Buffer.from(b[0]!));

test('a delta is deleted and inserted by key, without loading the rest, and windows keep the order of the keys', async (t) => {
  const world = await SqlWorld.start(t);
  const recorder = await world.table('orders');
  const items = new Map<string, readonly Cell[]>();
  for (let id = 1; id <= 300; id += 1) items.set(`a ${id}`, ['a', String(id), '1']);
  const sorted = () => [...items.values()].sort(compareKeys);
  const rows = encodeRows(COLUMNS, sorted());
  await recorder.record({ kind: 'full', rows, position: '0', ...FACTS }, world.time.at++);
  const snapshot = recorder.datasets[0]!;
  let loads = 0;
  const content = snapshot.content.bind(snapshot);
  snapshot.content = () => {
    loads += 1;
    return content();
  };
  const ask = () => world.window('orders', 'id__gte=0');
  assert.equal(await ask(), encodeFile(rows).toString());
  const loadsBefore = loads;
  const deltas: (readonly Cell[])[][] = [
    [
      ['a', '7', '2'],
      ['a', '7', '3'],
      ['b', '1', '1'],
      ['a', '0', '9'],
    ],
    [
      ['a', '8', null],
      ['a', '8', '5'],
      ['a', '9', null],
      ['Z', '2', '-0.5'],
    ],
    [
      ['b', '1', null],
      ['c', '1', null],
    ],
  ];
  for (const [index, delta] of deltas.entries()) {
    for (const row of delta) {
      if (row[2] === null) items.delete(`${row[0]} ${row[1]}`);
      else items.set(`${row[0]} ${row[1]}`, row);
    }
    const records = delta.map((row): DeltaRecord => ({ at: 0, change: row[2] === null ? 'remove' : 'put' }));
    const reading = { kind: 'delta', rows: encodeRows(COLUMNS, delta), records, compareKeys } as const;
    await recorder.record({ ...reading, position: String(index + 1), ...FACTS }, world.time.at++);
    assert.equal(await ask(), encodeFile(encodeRows(COLUMNS, sorted())).toString());
    assert.equal((await content()).bytes.toString(), encodeFile(encodeRows(COLUMNS, sorted())).toString());
  }
  assert.equal(loads, loadsBefore + 1, 'a number that does not fit loads everything once');
});
