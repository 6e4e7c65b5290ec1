import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { encodeRow } from '../../src/csv/encode.js';
import { StatusDataset } from '../../src/datasets/status-dataset.js';
import { readingOf, SqlWorld } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DAY = 86_400_000;

test('a snapshot is followed from poll to poll, always as a whole', async (t) => {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones');
  for (const rows of [
    [['1', '5']],
    [
      ['1', '6'],
      ['2', null],
    ],
    [],
  ]) {
    await zones.record(readingOf({ id: 'number', count: 'number' }, rows), world.time.at++);
    assert.equal(
      await world.ask('SELECT count(*) AS n, sum("count") AS total FROM zones'),
      `n,total\n${rows.length},${rows[0]?.[1] ?? ''}\n`,
    );
  }
});

test('a number is a number in SQL where no digit is lost, text otherwise, and CSV has its digits either way', async (t) => {
  const world = await SqlWorld.start(t);
  const table = await world.table('numbers');
  const columns = {
    id: 'string',
    whole: 'number',
    decimal: 'number',
    huge: 'number',
    tiny: 'number',
    padded: 'number',
    is: 'boolean',
  } as const;
  const huge = `12345678901234567890123456789012345678${'0'.repeat(80)}`;
  const tiny = `0.${'0'.repeat(129)}1`;
  const row = ['a', '-9007199254740993', '0.1', huge, tiny, '40.720', 'true'];
  await table.record(readingOf(columns, [row, ['b', null, null, null, null, null, null]]), world.time.at);
  const types = Object.keys(columns).map((name) => `typeof("${name}") AS "${name}"`);
  assert.equal(
    await world.ask(`SELECT ${types.join(', ')} FROM numbers LIMIT 1`, 'header=false'),
    'VARCHAR,BIGINT,DOUBLE,VARCHAR,VARCHAR,DOUBLE,BOOLEAN\n',
  );
  assert.equal(await world.window('numbers'), await readFile(join(world.dataDir, 'numbers.csv'), 'utf8'));
  assert.equal(await world.window('numbers', 'columns=id&huge__gt=1'), 'id\na\n');
});

test('a column whose type changes while no byte does is followed, in SQL and in the version', async (t) => {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones');
  const rows = [
    ['a', '5'],
    ['b', '6'],
  ];
  const ask = () => world.ask('SELECT DISTINCT typeof(count) AS t FROM zones');
  await zones.record(readingOf({ id: 'string', count: 'number' }, rows), world.time.at++);
  const before = zones.datasets[0]!.version;
  assert.equal(await ask(), 't\nBIGINT\n');
  await zones.record(readingOf({ id: 'string', count: 'string' }, rows), world.time.at++);
  assert.notEqual(zones.datasets[0]!.version, before);
  assert.equal(await ask(), 't\nVARCHAR\n');
});

test('a text that begins with U+FEFF keeps it: as a pivoted column, as the name of one, and in a cell', async (t) => {
  const world = await SqlWorld.start(t);
  const zones = await world.table('zones', { log: true });
  const rows = [
    ['\uFEFFa', '1'],
    ['a', '2'],
    ['\uFEFFa name longer than twelve bytes', '3'],
  ];
  await zones.record(readingOf({ id: 'string', '\uFEFFn': 'number' }, rows), world.time.at);
  assert.equal(
    await world.window('zones', 'columns=id,\uFEFFn'),
    'id,\uFEFFn\n\uFEFFa,1\na,2\n\uFEFFa name longer than twelve bytes,3\n',
  );
  assert.equal(
    await world.ask('SELECT * EXCLUDE (id, timestamp, date) FROM zones LIMIT 1'),
    '"\uFEFFn"\n1\n',
  );
  const [header, row] = (await world.window('zones', 'pivot=id:\uFEFFn')).split('\n');
  assert.deepEqual(header?.split(',').slice(1), ['a', '\uFEFFa', '\uFEFFa name longer than twelve bytes']);
  assert.deepEqual(row?.split(',').slice(1), ['2', '1', '3']);
});

test('a log takes up appended rows, a new column, and a value that its type does not fit', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const polls = [
    readingOf({ id: 'string', n: 'number' }, [['a', '1']]),
    readingOf({ id: 'string', n: 'number' }, [['a', '2']]),
    readingOf({ id: 'string', n: 'number' }, [['a', '2.5']]),
    readingOf({ id: 'string', n: 'number' }, [['a', '12345678901234567890.5']]),
    readingOf({ id: 'string', n: 'number', more: 'boolean' }, [['a', '3', 'true']]),
    readingOf({ id: 'string', n: 'string', more: 'boolean' }, [['a', 'no number', null]]),
  ];
  for (const poll of polls) {
    await log.record(poll, world.time.at++);
    assert.equal(await world.window('log'), await readFile(join(world.dataDir, 'log.csv'), 'utf8'));
  }
  assert.equal(
    await world.ask('SELECT count(*) AS n, typeof(any_value(n)) AS t FROM log'),
    'n,t\n6,VARCHAR\n',
  );
});

test('a column of a log whose type widens between two appended polls is followed, also where each value still fits', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const ask = () => world.ask('SELECT any_value(typeof(n)) AS t, max(n) AS most FROM log');
  const poll = (type: 'number' | 'string', n: string) =>
    log.record(
      readingOf({ id: 'string', n: type }, [
        ['a', n],
        ['b', n],
      ]),
      world.time.at++,
    );
  await poll('number', '9');
  assert.equal(await ask(), 't,most\nBIGINT,9\n');
  await poll('string', '10');
  assert.equal(await ask(), 't,most\nVARCHAR,9\n');
});

test('columns that differ only in case, or are called like anything, are all there', async (t) => {
  const world = await SqlWorld.start(t);
  const names = [
    'id',
    'Count',
    'count',
    'COUNT_2',
    'a"b',
    "it's",
    ' ',
    'select',
    'nul\0',
    'new\nline',
    '날짜',
    'date',
  ];
  const log = await world.table('odd', { log: true });
  const types = Object.fromEntries(names.map((name) => [name, 'string' as const]));
  await log.record(readingOf(types, [names.map((name) => `value of ${name}`)]), world.time.at);
  assert.equal(await world.window('odd'), await readFile(join(world.dataDir, 'odd.csv'), 'utf8'));
  assert.equal(
    await world.ask('SELECT "Count", "count_3", "date", local_date FROM odd', 'header=false'),
    'value of Count,value of count,value of date,2026-11-20\n',
  );
});

test("the local day has its own column, whatever the names of the table's columns", async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('dates', { log: true });
  const columns = { id: 'string', Date: 'string', local_date: 'string' } as const;
  for (const days of [5, 0])
    await log.record(readingOf(columns, [['a', 'b', 'c']]), world.time.at - days * DAY);
  const all = 'id,Date,local_date,timestamp,local_local_date\n';
  for (const sealed of [false, true]) {
    if (sealed) await world.sealer.seal(log.log!, { keep: 3, retention: null });
    assert.equal(
      await world.ask('SELECT * FROM dates ORDER BY "timestamp"'),
      `${all}a,b,c,2026-11-15T12:00:00.000Z,2026-11-15\na,b,c,2026-11-20T12:00:00.000Z,2026-11-20\n`,
    );
  }
});

/** A log of ten local days with a poll every six hours. */
async function tenDays(world: SqlWorld) {
  const log = await world.table('log', { log: true });
  const start = world.time.at - 10 * DAY;
  for (let at = start; at <= world.time.at; at += DAY / 4) {
    await log.record(readingOf({ id: 'string', n: 'number' }, [['a', String((at - start) / DAY)]]), at);
  }
  return log;
}

test('sealed days and those of the file are one table; a window inside the file opens no history', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await tenDays(world);
  const all = await world.window('log');
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  assert.equal(
    await world.ask('SELECT count(*) AS n, count(DISTINCT date) AS days FROM log'),
    'n,days\n41,11\n',
  );
  assert.equal(await world.window('log', 'from=2000-01-01'), all);
  assert.equal(await world.window('log'), await readFile(join(world.dataDir, 'log.csv'), 'utf8'));
  assert.equal(
    await world.window('log', 'from=2026-11-12T05:00:00Z&to=2026-11-12T18:00:00Z&columns=n,timestamp'),
    'n,timestamp\n1.75,2026-11-12T06:00:00.000Z\n2,2026-11-12T12:00:00.000Z\n',
  );
  const { dataset, ...recent } = { dataset: 'log', search: 'last=1d&columns=n' };
  const before = await world.window(dataset, recent.search);
  await rm(join(world.dataDir, 'history', 'log'), { recursive: true });
  assert.equal(await world.window(dataset, recent.search), before);
  await assert.rejects(world.window('log', 'from=2000-01-01'));
});

test('days that the retention drops stay for an answer that reads them, and go behind it', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const ids = Array.from({ length: 20_000 }, (_, id) => [`taxi ${id} of a large fleet`, String(id)]);
  for (let day = 9; day >= 0; day--)
    await log.record(readingOf({ id: 'string', n: 'number' }, ids), world.time.at - day * DAY);
  await world.sealer.seal(log.log!, { keep: 2, retention: null });
  const folder = join(world.dataDir, 'history', 'log');
  const before = await readdir(folder);
  const query = await world.sql.queries.window(world.dataset('log'), [
    ['from', '2000-01-01'],
    ['columns', 'id'],
  ]);
  const { body } = await query.run(new AbortController().signal);
  let size = 0;
  for await (const part of body) {
    if (size === 0) {
      await world.sealer.seal(log.log!, { keep: 2, retention: 3 });
      assert.equal(log.log!.sealedDays.length, 1);
      assert.deepEqual(await readdir(folder), before);
    }
    size += part.length;
  }
  assert.equal(size, 3 + ids.reduce((sum, [id]) => sum + id!.length + 1, 0) * 10);
  await world.sealer.seal(log.log!, { keep: 2, retention: 3 });
  assert.equal((await readdir(folder)).length, 1);
  assert.equal(await world.ask('SELECT count(DISTINCT date) AS n FROM log'), 'n\n3\n');
});

test('a data folder below a name=value folder hides no column of the same name', async (t) => {
  const dataDir = join(await temporaryFolder(t), 'n=9', 'date=2020-01-01');
  await mkdir(dataDir, { recursive: true });
  const world = await SqlWorld.start(t, { dataDir });
  const log = await tenDays(world);
  const [all, sums] = [
    await world.window('log'),
    'SELECT sum(n) AS sum, count(DISTINCT date) AS days FROM log',
  ];
  const before = await world.ask(sums);
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  assert.equal(await world.ask(sums), before);
  assert.equal(await world.window('log', 'from=2000-01-01'), all);
});

test('pages of a sorted window add up to the whole, with equal rows in the log’s order', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  for (let poll = 0; poll < 60; poll++) {
    const rows = ['a', 'b'].map((type) => [type, String(poll)]);
    await log.record(
      readingOf({ type: 'string', n: 'number' }, rows),
      world.time.at - (60 - poll) * (DAY / 6),
    );
  }
  await world.sealer.seal(log.log!, { keep: 2, retention: null });
  const whole = (await world.window('log', 'from=2000-01-01')).split('\n').slice(1, -1);
  const sorted = ['a', 'b'].flatMap((type) => whole.filter((row) => row.startsWith(`${type},`)));
  for (let round = 0; round < 5; round++) {
    const pages: string[] = [];
    for (let offset = 0; offset < sorted.length; offset += 20) {
      const page = await world.window('log', `from=2000-01-01&sort=type&limit=20&offset=${offset}`);
      pages.push(...page.split('\n').slice(1, -1));
    }
    assert.deepEqual(pages, sorted);
  }
});

test('days with fewer columns, or of another type, read as one table with all digits', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const at = (days: number) => world.time.at - days * DAY;
  await log.record(readingOf({ id: 'string', n: 'number' }, [['a', '1']]), at(9));
  await log.record(readingOf({ id: 'string', n: 'number' }, [['a', '2.5']]), at(8));
  await log.record(
    readingOf({ id: 'string', n: 'number', late: 'number' }, [['a', '9007199254740993', '7']]),
    at(7),
  );
  await log.record(readingOf({ id: 'string', n: 'number', late: 'number' }, [['a', null, null]]), at(6));
  await log.record(readingOf({ id: 'string', n: 'string', late: 'number' }, [['a', 'text', '8']]), at(5));
  const all = await world.window('log');
  for (const keep of [8, 6, 5, 1]) {
    await world.sealer.seal(log.log!, { keep, retention: null });
    assert.equal(await world.window('log', 'from=2000-01-01'), all, `keep ${keep}`);
  }
  assert.equal(
    await world.ask('SELECT n, late, date FROM log ORDER BY "timestamp"'),
    'n,late,date\n1,,2026-11-11\n2.5,,2026-11-12\n9007199254740993,7,2026-11-13\n,,2026-11-14\ntext,8,2026-11-15\n',
  );
});

test('sealed days use encodings that every reader supports', async (t) => {
  const world = await SqlWorld.start(t);
  const whole = await world.table('whole', { log: true });
  const fractions = await world.table('fractions', { log: true });
  for (let poll = 0; poll < 50; poll++) {
    const at = world.time.at - 10 * DAY + poll * 30_000;
    const rows = Array.from({ length: 20 }, (_, id) => [`taxi-${poll}-${id}`, String(poll * 20 + id)]);
    await whole.record(readingOf({ id: 'string', n: 'number' }, rows), at);
    const parts = rows.map(([id, n]) => [id!, `${n}.5`]);
    await fractions.record(readingOf({ id: 'string', n: 'number' }, parts), at);
  }
  const encodings = async (recorder: typeof whole, name: string) => {
    await world.sealer.seal(recorder.log!, { keep: 3, retention: null });
    const [day] = recorder.log!.sealedDays;
    const instance = await DuckDBInstance.create(':memory:');
    t.after(() => instance.closeSync());
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(
      `SELECT encodings, compression FROM parquet_metadata('${day!.paths[0]}') WHERE path_in_schema = '${name}'`,
    );
    return reader.getRows()[0]!.map(String);
  };
  assert.deepEqual(await encodings(whole, 'n'), ['DELTA_BINARY_PACKED', 'ZSTD']);
  assert.deepEqual(await encodings(fractions, 'n'), ['PLAIN', 'ZSTD']);
});

test('a day that an interrupted sealing left in both places counts once', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await tenDays(world);
  const file = join(world.dataDir, 'log.csv');
  const whole = await readFile(file);
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  await log.close();
  await writeFile(file, whole);
  const restarted = await SqlWorld.start(t, { dataDir: world.dataDir });
  const again = await restarted.table('log', { log: true });
  await restarted.sealer.restore(again.log!);
  assert.equal(await restarted.ask('SELECT count(*) AS n FROM log'), 'n\n41\n');
});

test('any cell is returned unchanged', async (t) => {
  const world = await SqlWorld.start(t);
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      'null',
      'NULL',
      '""',
      '"',
      ',',
      '\n',
      '\r\n',
      ' a ',
      '\u2028',
      '😀',
      '\0',
      "'",
      '1e5',
      '-0',
    ),
  );
  const number = fc.oneof(
    fc.bigInt().map(String),
    fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat()).map(([a, b]) => `${a}.${b}1`),
    fc.integer().map(String),
  );
  const row = fc.tuple(fc.option(fc.boolean().map(String)), fc.option(number), fc.option(text));
  let tables = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
      const name = `cells-${++tables}`;
      const table = await world.table(name);
      const cells = rows.map((values, index) => [String(index), ...values]);
      await table.record(
        readingOf({ id: 'number', is: 'boolean', number: 'number', text: 'string' }, cells),
        world.time.at,
      );
      assert.equal(await world.window(name), `id,is,number,text\n${cells.map(encodeRow).join('')}`);
    }),
    { numRuns: 60 },
  );
});

test('a first cell that begins with U+FEFF keeps it, among the appended rows too', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  for (const id of ['\uFEFFa', '\uFEFFb']) {
    await log.record(readingOf({ id: 'string' }, [[id]]), world.time.at++);
    assert.match(
      await world.window('log', 'sort=-timestamp&columns=id&limit=1'),
      new RegExp(`^id\n${id}\n$`),
    );
  }
  await log.close();
});

test('rows added to a sealed day after it was sealed are found', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const poll = (n: string, days: number) =>
    log.record(readingOf({ id: 'string', n: 'number' }, [['a', n]]), world.time.at - days * DAY);
  await poll('1', 5);
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  await poll('2', 4.9);
  await poll('3', 0);
  const ask = () => world.ask('SELECT n FROM log ORDER BY "timestamp"');
  assert.equal(await ask(), 'n\n1\n2\n3\n');
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  assert.equal(await ask(), 'n\n1\n2\n3\n');
});

test('whole numbers beside sealed days with fractions keep their digits, also those appended later', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  const poll = (n: string, days: number) =>
    log.record(readingOf({ id: 'string', n: 'number' }, [['a', n]]), world.time.at - days * DAY);
  await poll('-9223372036854775808', 9);
  await poll('7', 8);
  await poll('2.5', 7);
  await poll('1', 1);
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  const ask = (from: string) => world.window('log', `from=${from}&columns=n&header=false`);
  assert.equal(await ask('2026-11-12'), '7\n2.5\n1\n');
  assert.equal(await ask('2000-01-01'), '-9223372036854775808\n7\n2.5\n1\n');
  await poll('9007199254740993', 0);
  assert.equal(await ask('2026-11-12'), '7\n2.5\n1\n9007199254740993\n');
  const sql = await world.ask(`SELECT n FROM log WHERE date > DATE '2026-11-14'`);
  assert.equal(sql, 'n\n1\n9007199254740993\n');
});

test('rows stay in order over many sealed days and the file, with several threads', async (t) => {
  const world = await SqlWorld.start(t);
  const log = await world.table('log', { log: true });
  let n = 0;
  for (let days = 12; days >= 0; days--) {
    // One day of another type, so that several lists of files are read.
    const rows = Array.from({ length: 7_000 }, (_, id) => [
      String(id).padStart(5, '0'),
      `${n++}${days === 6 ? '.5' : ''}`,
    ]);
    await log.record(readingOf({ id: 'string', n: 'number' }, rows), world.time.at - days * DAY);
  }
  const all = await world.window('log', 'limit=1000000');
  await world.sealer.seal(log.log!, { keep: 3, retention: null });
  assert.equal(await world.window('log', 'from=2000-01-01&limit=1000000'), all);
  assert.equal(await world.ask('SELECT id, n, "timestamp" FROM log'), all);
});

test('a status dataset is loaded once per state', async (t) => {
  const world = await SqlWorld.start(t);
  let computed = 0;
  const status = new StatusDataset({
    name: 'status',
    description: '',
    clock: world.time,
    columns: [{ name: 'n', type: 'number' }],
    keys: [],
    rows: () => [[String(++computed)]],
  });
  world.registry.add(status);
  const version = async () => (await world.sql.queries.window(status, [['limit', '1']])).version;
  const first = await version();
  assert.equal(await version(), first);
  assert.equal((await status.content()).version, status.version);
  world.time.at += 5_000;
  assert.notEqual(await version(), first);
});

test('polls that change the types of columns never disturb those who ask meanwhile', async (t) => {
  const world = await SqlWorld.start(t);
  const table = await world.table('zones');
  await mkdir(join(world.dataDir, 'views'));
  await writeFile(join(world.dataDir, 'views', 'view.sql'), 'SELECT id, n FROM zones WHERE n IS NOT NULL');
  const polls = [
    [
      ['a', '1'],
      ['b', '2'],
    ],
    [
      ['a', '1.5'],
      ['b', '2.5'],
    ],
    [
      ['a', '12345678901234567890123'],
      ['b', '4.5'],
    ],
  ];
  const poll = (round: number) =>
    table.record(readingOf({ id: 'string', n: 'number' }, polls[round % 3]!), world.time.at++);
  await poll(0);
  await world.sql.openViews(join(world.dataDir, 'views'), 'views');
  const expected = new Set(polls.map((rows) => `id,n\n${rows.map((row) => `${row.join(',')}\n`).join('')}`));
  const asks = [
    () => world.window('zones'),
    () => world.window('view'),
    () => world.window('zones', 'sort=id&limit=9'),
    () => world.ask('SELECT * FROM zones'),
    () => world.ask('SELECT * FROM view'),
    async () => (await world.dataset('view').content()).bytes.toString(),
  ];
  let isOver = false;
  const asking = [...asks, ...asks].map(async (ask) => {
    while (!isOver) {
      assert.ok(expected.has(await ask()));
      await new Promise(setImmediate); // what is kept comes at once, and would let nobody else have a turn
    }
  });
  const polling = (async () => {
    for (let round = 1; round < 60; round++) {
      await poll(round);
      await world.window('zones');
    }
    isOver = true;
  })();
  await Promise.all([polling, ...asking]);
});

test('thousands of windows, one after the other, need no more memory than one', async (t) => {
  const world = await SqlWorld.start(t);
  const table = await world.table('zones');
  await table.record(readingOf({ id: 'string', n: 'number' }, [['a', '1']]), world.time.at);
  const some = async () => {
    for (let i = 0; i < 250; i++) await world.window('zones', 'sort=-n&limit=50');
  };
  await Promise.all([some(), some(), some(), some(), some(), some()]);
});
