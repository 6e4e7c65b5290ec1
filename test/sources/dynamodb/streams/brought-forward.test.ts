import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRow, rowAt } from '../../../../src/csv/decode.js';
import { encodeRows } from '../../../../src/csv/encode.js';
import type { Cell, Column } from '../../../../src/csv/rows.js';
import { broughtForward } from '../../../../src/sources/dynamodb/streams/brought-forward.js';

const text = (name: string): Column => ({ name, type: 'string', seen: true });
const COLUMNS = [text('id'), text('n'), text('count')];
const WIDER = [...COLUMNS, text('new')];
const compareKeys = (a: readonly Cell[], b: readonly Cell[]) =>
  Buffer.compare(Buffer.from(a[0]!), Buffer.from(b[0]!)) || Number(a[1]) - Number(b[1]);
const key = (place: number): [string, string] => [`it"em ${Math.floor(place / 3)}`, String(place % 3)];

test('records change, add and remove rows, which stay in key order', async () => {
  const places = fc.uniqueArray(fc.integer({ min: 0, max: 29 }));
  const records = fc.uniqueArray(
    fc.record({ place: fc.integer({ min: 0, max: 29 }), isRemoval: fc.boolean() }),
    {
      selector: ({ place }) => place,
    },
  );
  await fc.assert(
    fc.asyncProperty(places, records, async (scanned, edits) => {
      const model = new Map(scanned.map((place): [number, Cell[]] => [place, [...key(place), 'scan', null]]));
      const inOrder = [...scanned].sort((a, b) => compareKeys(key(a), key(b)));
      const rows = encodeRows(
        COLUMNS,
        inOrder.map((place) => model.get(place)!.slice(0, 3)),
      );
      const written = edits.map(({ place }): Cell[] => [...key(place), 'stream', 'yes']);
      for (const [index, { place, isRemoval }] of edits.entries())
        if (isRemoval) model.delete(place);
        else model.set(place, written[index]!);
      const found = await broughtForward(
        { rows, keys: ['id', 'n'] },
        {
          rows: encodeRows(WIDER, written),
          records: edits.map(({ isRemoval }) => ({ at: 0, change: isRemoval ? 'remove' : 'put' })),
          keys: ['id', 'n'],
          mixed: [],
          compareKeys,
        },
      );
      const expected = [...model.values()].sort(compareKeys);
      const isWider = edits.length > 0;
      const cells = Array.from(found.ends, (_, index) => decodeRow(rowAt(found, index)));
      assert.deepEqual(cells, isWider ? expected : expected.map((row) => row.slice(0, 3)));
    }),
    { numRuns: 300 },
  );
});
