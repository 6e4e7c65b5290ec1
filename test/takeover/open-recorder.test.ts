import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PollHealth } from '../../src/datasets/freshness.js';
import { recordable } from '../../src/recorder/broken-recorder.js';
import { warnAboutUnservedData } from '../../src/recorder/unserved-data.js';
import { openRecorder } from '../../src/takeover/open-recorder.js';
import { nodeFiles } from '../../src/volume/files.js';
import { logLines } from '../support/log-lines.js';
import { readingOf } from '../support/sql-world.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const AT = Date.parse('2026-11-24T09:30:00.000Z');

interface Table {
  readonly name?: string;
  readonly log?: boolean;
  readonly rename?: Readonly<Record<string, string>>;
  readonly timestampColumn?: string;
}

/** The table `zones`, opened as the service does it, over several lives. */
async function world(t: TestContext) {
  const dataDir = await temporaryFolder(t);
  await mkdir(join(dataDir, '.dynamo-csv'));
  const { logger, lines } = logLines('info');
  const live = async ({ name = 'zones', log = true, rename = {}, timestampColumn }: Table, polls = 1) => {
    const recorder = await openRecorder({
      name,
      source: 'DynamoDB table zones',
      dataDir,
      health: new PollHealth(30_000, { now: () => AT, sleep: async () => undefined }),
      logger,
      log,
      changes: false,
      configured: [],
      timestampColumn: timestampColumn ?? null,
      takeover: {
        kind: log ? 'log' : 'snapshot',
        path: join(dataDir, `${name}.csv`),
        scriptPath: join(dataDir, 'zones.csv'),
        rename,
        ...(timestampColumn === undefined ? {} : { timeColumn: timestampColumn }),
      },
    });
    const published = (attribute: string) => rename[attribute] ?? attribute;
    const types = { id: 'string', [published('a')]: 'number', [published('b')]: 'number' } as const;
    for (let poll = 0; poll < polls; poll++) await recorder.record(readingOf(types, [['x', '1', '2']]), AT);
    await recorder.close();
  };
  const file = (name: string) => readFile(join(dataDir, name), 'utf8');
  return { dataDir, live, file, lines, logger };
}

test('columns that are renamed into each other are renamed once, not at every start', async (t) => {
  const { dataDir, live, file } = await world(t);
  await writeFile(join(dataDir, 'zones.csv'), 'id,a,b,timestamp\nx,1,2,2025-02-14 09:30:00\n');
  const rename = { a: 'b', b: 'c' };
  for (let start = 0; start < 3; start++) await live({ rename });
  const [header, ...rows] = (await file('zones.csv')).trimEnd().split('\n');
  assert.equal(header, 'id,b,c,timestamp');
  assert.deepEqual(rows[0], 'x,1,2,2025-02-14T09:30:00.000Z');
  assert.ok(rows.every((row) => row.startsWith('x,1,2,')));
});

test('a new name for a column begins a new column: the old one stays with its values', async (t) => {
  const { live, file } = await world(t);
  await live({});
  await live({ rename: { a: 'c' } });
  assert.equal(
    await file('zones.csv'),
    'id,a,b,c,timestamp\nx,1,2,,2026-11-24T09:30:00.000Z\nx,,2,1,2026-11-24T09:30:00.001Z\n',
  );
});

test('another timestampColumn never takes the times from the rows of before', async (t) => {
  const { live, file, lines } = await world(t);
  await live({});
  await live({ timestampColumn: 'polled_at' });
  assert.equal(
    await file('zones.csv'),
    'id,a,b,timestamp\nx,1,2,2026-11-24T09:30:00.000Z\nx,1,2,2026-11-24T09:30:00.001Z\n',
  );
  assert.equal(lines.filter(({ level }) => level === 'warn').length, 1);
});

test('another published name: data under the old one is not taken for the script’s, stays, and that is logged', async (t) => {
  const { dataDir, live, file, lines, logger } = await world(t);
  await live({});
  const before = await file('zones.csv');
  await warnAboutUnservedData([{ name: 'areas', source: 'DynamoDB table zones' }], {
    dataDir,
    files: nodeFiles,
    logger,
  });
  await live({ name: 'areas' });
  assert.equal(await file('zones.csv'), before);
  assert.equal((await file('areas.csv')).split('\n').length, 3);
  assert.equal((await readdir(dataDir)).includes('taken-over'), false);
  assert.deepEqual(
    lines.map(({ level, now }) => [level, now]),
    [['warn', 'areas']],
  );
  assert.match(lines[0]!.msg, /published as zones and is now areas: .* set as: zones$/);
  await warnAboutUnservedData([], { dataDir, files: nodeFiles, logger });
  assert.deepEqual(
    lines.slice(1).map(({ level, msg }) => [level, msg.slice(0, 29)]),
    [
      ['info', 'areas is no longer in the con'],
      ['info', 'zones is no longer in the con'],
    ],
  );
});

test('our own log that becomes a snapshot is not taken for the script’s file, and is kept unchanged', async (t) => {
  const { live, file, lines } = await world(t);
  await live({});
  const before = await file('zones.csv');
  await live({ log: false });
  assert.equal(await file('taken-over/zones.csv'), before);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn'],
  );
});

test('a source whose files cannot be opened is broken and does not stop the service', async (t) => {
  const { dataDir, logger, lines } = await world(t);
  await symlink('zones.csv', join(dataDir, 'zones.csv'));
  // So that it cannot be moved aside either.
  await writeFile(join(dataDir, 'damaged'), '');
  const recorder = await openRecorder({
    name: 'zones',
    source: 'DynamoDB table zones',
    dataDir,
    health: new PollHealth(30_000, { now: () => AT, sleep: async () => undefined }),
    logger,
    log: true,
    changes: true,
    configured: [],
    timestampColumn: null,
    takeover: null,
  });
  assert.equal(recorder.brokenBy?.code, 'TABLE_BROKEN');
  assert.deepEqual(
    recorder.datasets.map(({ name, version, columns }) => [name, version, columns]),
    [
      ['zones', null, null],
      ['zones-changes', null, null],
    ],
  );
  await assert.rejects(recorder.datasets[0]!.content(), { status: 503, message: /^"zones" is broken: / });
  assert.match(lines.at(-1)!.msg, /restart this service$/);
  const polls: string[] = [];
  const source = {
    title: 'DynamoDB table zones',
    read: () => Promise.reject(new Error(`read ${polls.push('read')}`)),
    close: async () => undefined,
  };
  const { signal } = new AbortController();
  await assert.rejects(recordable(source, recorder).read({ known: [], signal }), { code: 'TABLE_BROKEN' });
  assert.deepEqual(polls, [], 'nothing is read of AWS that nobody can record');
  await recorder.close();
});
