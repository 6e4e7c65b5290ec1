import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell, Column } from '../../src/csv/rows.js';
import { ScriptedDataset } from '../support/scripted-dataset.js';
import { SqlWorld } from '../support/sql-world.js';

/** What DuckDB's way answers about a dataset with one column. */
async function ask(world: SqlWorld, column: Column, cells: readonly Cell[], search: string): Promise<string> {
  const dataset = new ScriptedDataset({ name: 'things', columns: [column] });
  await dataset.land(cells.map((cell) => [cell]));
  const query = await world.sql.queries.window(dataset, [...new URLSearchParams(search)]);
  const { body } = await query.run(new AbortController().signal);
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const NUMBER: Column = { name: 'n', type: 'number', seen: true };

test('DuckDB writes a number with an exponent as in the plain dataset', async (t) => {
  const world = await SqlWorld.start(t);
  const cells = ['1e+20', '1e-05', '2'];
  assert.equal(await ask(world, NUMBER, cells, 'header=true'), 'n\n1e+20\n1e-05\n2\n');
  assert.equal(await ask(world, NUMBER, cells, 'sort=n&n__lt=100'), 'n\n1e-05\n2\n');
});

test('DuckDB’s way takes an absent value for absent where it is alone in its row', async (t) => {
  const world = await SqlWorld.start(t);
  const cells = ['1', null, '-1'];
  assert.equal(await ask(world, NUMBER, cells, 'header=true'), 'n\n1\n""\n-1\n');
  assert.equal(await ask(world, NUMBER, cells, 'null=null&sort=n'), 'n\n-1\n1\nnull\n');
  assert.equal(await ask(world, NUMBER, cells, 'n=0'), 'n\n');
  assert.equal(
    await ask(world, { ...NUMBER, type: 'string', seen: false }, [null], 'format=json'),
    '[\n{"n":null}\n]\n',
  );
});
