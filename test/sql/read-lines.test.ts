import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../src/sql/read-lines.js';
import { text } from '../csv/cells.js';
import { TestDuckDb } from '../windows/duckdb-table.js';

let db: TestDuckDb;
before(async () => {
  db = await TestDuckDb.start();
});
after(() => db.close());

const never = new AbortController().signal;

/** The result as `compileLines` has it: behind the last text stands NULL. */
function marked(sql: string): string {
  return `${sql} UNION ALL SELECT NULL`;
}

async function read(sql: string): Promise<Buffer[]> {
  const pieces = [];
  for await (const piece of readLines(await db.connection.stream(marked(sql)), never)) pieces.push(piece);
  return pieces;
}

test('texts of all lengths are returned unchanged, in order', async () => {
  const texts = fc.array(
    fc.oneof(
      text,
      fc.string({ minLength: 10, maxLength: 15 }),
      text.map((t) => t.repeat(50)),
    ),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (lines) => {
      await db.connection.run('CREATE OR REPLACE TABLE texts (line VARCHAR)');
      const insert = await db.connection.prepare('INSERT INTO texts VALUES ($1)');
      for (const line of lines) {
        insert.bindVarchar(1, line);
        await insert.run();
      }
      const pieces = await read('SELECT line FROM texts');
      assert.equal(Buffer.concat(pieces).toString(), lines.join(''));
      // A projection lays texts out anew, a filter leaves gaps.
      const some = await read(`SELECT concat('<', line, '>') FROM texts WHERE length(line) > 2`);
      const expected = lines.filter((line) => [...line].length > 2).map((line) => `<${line}>`);
      assert.equal(Buffer.concat(some).toString(), expected.join(''));
    }),
    { numRuns: 60 },
  );
});

test('many rows come in pieces of moderate size', async () => {
  const pieces = await read(`SELECT concat('this is row ', i, chr(10)) FROM range(300000) t(i)`);
  const all = Buffer.concat(pieces).toString();
  assert.equal(all, Array.from({ length: 300_000 }, (_, i) => `this is row ${i}\n`).join(''));
  for (const piece of pieces.slice(0, -1)) assert.ok(piece.length >= 1 << 16 && piece.length <= 1 << 20);
});

test('one text longer than a piece comes whole', async () => {
  const pieces = await read(`SELECT repeat('0123456789', 200000) FROM range(3)`);
  assert.equal(Buffer.concat(pieces).length, 6_000_000);
});

test('no chunk is read before it is asked for', async () => {
  const result = await db.connection.stream(
    marked(`SELECT concat('row ', i, chr(10)) FROM range(1000000) t(i)`),
  );
  let chunks = 0;
  const fetchChunk = result.fetchChunk.bind(result);
  result.fetchChunk = () => {
    chunks++;
    return fetchChunk();
  };
  const lines = readLines(result, never);
  assert.equal(chunks, 0);
  await lines.next();
  const first = chunks;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(chunks, first);
  await lines.next();
  assert.ok(chunks > first && chunks <= 2 * first + 1);
  await lines.return();
});

test('it stops when the signal aborts', async () => {
  const stop = new AbortController();
  const lines = readLines(
    await db.connection.stream(marked(`SELECT repeat('x', 1000) FROM range(1000000)`)),
    stop.signal,
  );
  await lines.next();
  stop.abort(new Error('enough'));
  await assert.rejects(async () => {
    for await (const _ of lines);
  }, /enough/);
});

test('other work runs between the rows', async () => {
  let turns = 0;
  let other = setImmediate(function turn() {
    turns++;
    other = setImmediate(turn);
  });
  const pieces = await read(`SELECT concat('row ', i, chr(10)) FROM range(500000) t(i)`);
  clearImmediate(other);
  assert.ok(turns >= pieces.length, `${turns} turns in ${pieces.length} pieces`);
});

test('an answer that ends half way is not taken for a whole one', async () => {
  const failing = `SELECT CASE WHEN i = 90000 THEN error('half way') ELSE 'x' END FROM range(100000) t(i)`;
  await assert.rejects(read(failing), { code: 'ANSWER_INCOMPLETE' });
  const lines = readLines(
    await db.connection.stream(marked(`SELECT repeat('x', 1000) FROM range(1000000)`)),
    never,
  );
  await lines.next();
  db.connection.interrupt();
  await assert.rejects(
    async () => {
      for await (const _ of lines);
    },
    { code: 'ANSWER_INCOMPLETE' },
  );
});

test('no text at all is no piece', async () => {
  assert.deepEqual(await read(`SELECT 'x' WHERE false`), []);
});
