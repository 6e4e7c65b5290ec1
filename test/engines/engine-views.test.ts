import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { DatasetRegistry } from '../../src/datasets/registry.js';
import { EngineViews } from '../../src/engines/engine-views.js';
import { athenaSettings } from '../../src/engines/options.js';
import { readViewHead } from '../../src/sql/view-file.js';
import { type Files, nodeFiles } from '../../src/volume/files.js';
import { useTestAws } from '../support/aws.js';
import { FaultyFiles } from '../support/faulty-files.js';
import { type LogLine, logLines } from '../support/log-lines.js';
import { ManualClock } from '../support/manual-clock.js';
import { type AthenaAnswer, resultPage, startScriptedAthena } from '../support/scripted-athena.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const HOUR = 3_600_000;
const SQL = `-- Rides of each day, for the last ten years.
-- engine: athena
-- every: 2h
-- time: midnight
-- keys: day
SELECT day, midnight, rides, rate, vip
FROM rides
`;

const COLUMNS = {
  day: 'date',
  midnight: 'timestamp with time zone',
  rides: 'bigint',
  rate: 'double',
  vip: 'boolean',
};
const HEADER = Object.keys(COLUMNS);
const ROWS = [
  ['2026-11-23', '2026-11-23 05:00:00.000 UTC', '55477', '69.6029', 'true'],
  ['2026-11-24', '2026-11-24 05:00:00.000 UTC', '53817', '1.0E20', null],
];
const CSV = `day,midnight,rides,rate,vip
2026-11-23,2026-11-23T05:00:00.000Z,55477,69.6029,true
2026-11-24,2026-11-24T05:00:00.000Z,53817,100000000000000000000,
`;

const ENDED = {
  QueryExecution: {
    Status: { State: 'SUCCEEDED' },
    Statistics: { DataScannedInBytes: 2 ** 40, TotalExecutionTimeInMillis: 4_200 },
  },
};

/** Answers of a query that succeeds; `more`: other answers by operation. */
const succeeding =
  (more: Readonly<Record<string, (input: Record<string, unknown>) => AthenaAnswer>> = {}) =>
  (operation: string, input: Record<string, unknown>): AthenaAnswer => {
    const own = more[operation];
    if (own !== undefined) return own(input);
    if (operation === 'StartQueryExecution') return { QueryExecutionId: 'q-1' };
    if (operation === 'GetQueryExecution') return ENDED;
    return resultPage(COLUMNS, [HEADER, ...ROWS]);
  };

beforeEach(() => {
  useTestAws();
  process.env.AWS_MAX_ATTEMPTS = '1';
});

interface Given {
  readonly sql?: string;
  readonly dataDir?: string;
  readonly isConfigured?: boolean;
  readonly now?: string;
  readonly files?: Files;
}

async function world(t: TestContext, answer: Parameters<typeof startScriptedAthena>[0], given: Given = {}) {
  const { sql = SQL, isConfigured = true, now = '2026-11-24T15:30:00Z', files = nodeFiles } = given;
  const athena = await startScriptedAthena(answer);
  t.after(() => athena.close());
  process.env.AWS_ENDPOINT_URL_ATHENA = athena.endpoint;
  const dataDir = given.dataDir ?? (await temporaryFolder(t));
  const clock = new ManualClock(now);
  const { logger, lines } = logLines();
  const settings = isConfigured
    ? athenaSettings({ database: 'fleet', workgroup: 'reports', output: 's3://bucket/athena/' }, 'us-east-1')
    : null;
  const views = new EngineViews({ athena: settings, openCatalog: null, dataDir, files, clock, logger });
  const file = 'config/views/rides.sql';
  const view = await views.open({ name: 'rides', file, sql, head: readViewHead(sql) });
  const stopping = new AbortController();
  let following = new AbortController();
  let running: Promise<void> | null = null;
  const stop = async () => {
    following.abort();
    stopping.abort(new Error('the service ends'));
    await running;
  };
  t.after(stop);
  return {
    view,
    clock,
    lines: lines as LogLine[],
    dataDir,
    asked: athena.asked,
    operations: () => athena.asked.map(({ operation }) => operation),
    stop,
    start: async () => {
      running = views.run(stopping.signal, files);
      await clock.asleep();
    },
    /** Shows what another service computes, until `stopFollowing`. */
    follow: async () => {
      following = new AbortController();
      running = views.follow(following.signal);
      await clock.asleep();
    },
    stopFollowing: async () => {
      following.abort();
      await running;
    },
    /** Lets that much time pass and what follows from it happen. */
    pass: async (milliseconds: number) => {
      clock.advance(milliseconds);
      await clock.asleep();
    },
  };
}

const textOf = async ({ view }: { readonly view: { content(): Promise<{ readonly bytes: Buffer }> } }) =>
  (await view.content()).bytes.toString();

test('a view is computed in Athena and is a dataset: typed, timed, with what it cost', async (t) => {
  const running = await world(t, succeeding());
  const { view, start, pass, asked } = running;
  await assert.rejects(view.content(), { code: 'DATASET_NOT_READ_YET' });
  await start();
  await pass(0);
  await pass(500);
  assert.equal(await textOf(running), CSV);
  assert.deepEqual(
    view.columns?.map(({ name, type }) => `${name} ${type}`),
    ['day string', 'midnight time', 'rides number', 'rate number', 'vip boolean'],
  );
  assert.deepEqual(view.keys, ['day']);
  assert.equal(view.timeColumn, 'midnight');
  assert.equal(view.description, 'Rides of each day, for the last ten years.');
  const { query, interval, freshness, rows, lastError } = view.status();
  assert.deepEqual(query, { engine: 'athena', id: 'q-1', bytesScanned: 2 ** 40, usd: 5, took: 4_200 });
  assert.deepEqual([interval, freshness, rows, lastError], [2 * HOUR, 'fresh', 2, null]);
  const { input } = asked[0]!;
  assert.deepEqual(
    [input.WorkGroup, input.QueryExecutionContext, input.ResultConfiguration],
    ['reports', { Database: 'fleet' }, { OutputLocation: 's3://bucket/athena/' }],
  );
  // The comment too, so that Athena's lines are those of the file.
  assert.equal(input.QueryString, SQL);
});

test('it runs again when its result is as old as it allows, and pages and slow queries are waited for', async (t) => {
  let looks = 0;
  let queries = 0;
  const running = await world(
    t,
    succeeding({
      StartQueryExecution: () => ({ QueryExecutionId: `q-${++queries}` }),
      GetQueryExecution: () =>
        ++looks % 3 === 0 ? ENDED : { QueryExecution: { Status: { State: 'RUNNING' } } },
      GetQueryResults: ({ NextToken }) =>
        NextToken === undefined
          ? resultPage(COLUMNS, [HEADER, ROWS[0]!], 'more')
          : resultPage(COLUMNS, [ROWS[1]!]),
    }),
  );
  await running.start();
  for (const wait of [0, 500, 1_000, 2_000]) await running.pass(wait);
  assert.equal(await textOf(running), CSV);
  assert.equal(running.view.status().query?.id, 'q-1');
  const { version } = running.view;
  await running.pass(2 * HOUR - 10_000);
  assert.equal(queries, 1);
  for (const wait of [10_000, 500, 1_000, 2_000]) await running.pass(wait);
  assert.equal(running.view.status().query?.id, 'q-2');
  assert.equal(running.view.version, version, 'the same rows are the same version');
});

test('the last result survives a restart, and is not paid again before its time', async (t) => {
  const first = await world(t, succeeding());
  await first.start();
  await first.pass(0);
  await first.pass(500);
  await first.stop();
  const { dataDir } = first;
  assert.equal(await readFile(join(dataDir, 'results', 'rides.csv'), 'utf8'), CSV);
  const second = await world(t, succeeding(), { dataDir, now: '2026-11-24T16:30:00Z' });
  assert.equal(await textOf(second), CSV);
  assert.equal(second.view.status().query?.usd, 5);
  await second.start();
  await second.pass(HOUR - 1_000);
  assert.deepEqual(second.operations(), []);
  await second.pass(1_000);
  await second.pass(500);
  assert.deepEqual(second.operations(), ['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults']);
});

test('a follower shows the results that another service keeps, asks Athena nothing, and goes on from them', async (t) => {
  let queries = 0;
  const answers = succeeding({ StartQueryExecution: () => ({ QueryExecutionId: `q-${++queries}` }) });
  const first = await world(t, answers);
  const { dataDir } = first;
  await first.start();
  await first.pass(0);
  await first.pass(500);
  const second = await world(t, answers, { dataDir });
  await second.follow();
  assert.equal(second.view.status().query?.id, 'q-1');
  await first.pass(2 * HOUR);
  await first.pass(500);
  await first.stop();
  await second.pass(5_000);
  assert.equal(await textOf(second), CSV);
  const { query, lastError, nextPollAt } = second.view.status();
  assert.deepEqual([query?.id, lastError, nextPollAt], ['q-2', null, null]);
  await second.pass(8 * HOUR);
  assert.deepEqual(second.operations(), []);
  // It collects: the result is older than the view allows.
  await second.stopFollowing();
  await second.start();
  await second.pass(0);
  await second.pass(500);
  assert.deepEqual(second.operations(), ['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults']);
  assert.equal(second.view.status().query?.id, 'q-3');
});

test('a follower whose result arrives in two parts, the state first, shows it once both are there', async (t) => {
  const first = await world(t, succeeding());
  await first.start();
  await first.pass(0);
  await first.pass(500);
  await first.stop();
  const from = join(first.dataDir, 'results');
  const second = await world(t, succeeding());
  const to = join(second.dataDir, 'results');
  await second.follow();
  await mkdir(to);
  await rename(join(from, 'rides.json'), join(to, 'rides.json'));
  await second.pass(5_000);
  await assert.rejects(second.view.content(), { code: 'DATASET_NOT_READ_YET' });
  await writeFile(join(to, 'rides.csv'), 'day\n');
  await second.pass(5_000);
  await assert.rejects(second.view.content(), { code: 'DATASET_NOT_READ_YET' });
  await rename(join(from, 'rides.csv'), join(to, 'rides.csv'));
  await second.pass(5_000);
  assert.equal(await textOf(second), CSV);
  assert.deepEqual(second.lines, []);
});

test('the error of a service that followed again is forgotten with the next result of another one', async (t) => {
  const refused = { error: 'TooManyRequestsException', message: 'Rate exceeded' };
  const second = await world(t, succeeding({ StartQueryExecution: () => refused }));
  const { dataDir } = second;
  await second.start();
  await second.pass(0);
  assert.equal(second.view.status().lastError?.code, 'AWS_THROTTLED');
  await second.stop();
  const first = await world(t, succeeding(), { dataDir });
  await first.start();
  await first.pass(0);
  await first.pass(500);
  await second.follow();
  await second.pass(5_000);
  assert.equal(await textOf(second), CSV);
  assert.equal(second.view.status().lastError, null);
});

test('another text of the view, or a damaged result, is computed anew', async (t) => {
  const first = await world(t, succeeding());
  await first.start();
  await first.pass(0);
  await first.pass(500);
  await first.stop();
  const { dataDir } = first;
  const changed = await world(t, succeeding(), { dataDir, sql: `${SQL} WHERE true` });
  await assert.rejects(changed.view.content(), { code: 'DATASET_NOT_READ_YET' });
  await writeFile(join(dataDir, 'results', 'rides.csv'), 'day\n');
  const damaged = await world(t, succeeding(), { dataDir });
  await assert.rejects(damaged.view.content(), { code: 'DATASET_NOT_READ_YET' });
  await writeFile(join(dataDir, 'results', 'rides.json'), '{');
  const worse = await world(t, succeeding(), { dataDir });
  await assert.rejects(worse.view.content(), { code: 'DATASET_NOT_READ_YET' });
  assert.match(worse.lines.at(-1)!.msg, /^a kept result is left out: /);
});

test("a mistake in the SQL has the file, line and column, with Athena's sentence; the last result stays", async (t) => {
  let isWrong = false;
  const running = await world(
    t,
    succeeding({
      GetQueryExecution: () =>
        isWrong
          ? {
              QueryExecution: {
                Status: {
                  State: 'FAILED',
                  StateChangeReason: "COLUMN_NOT_FOUND: line 6:20: Column 'ridez' cannot be resolved",
                },
              },
            }
          : ENDED,
    }),
  );
  await running.start();
  await running.pass(0);
  await running.pass(500);
  isWrong = true;
  await running.pass(2 * HOUR);
  await running.pass(500);
  const { lastError, nextPollAt } = running.view.status();
  assert.equal(lastError?.code, 'VIEW_BROKEN');
  assert.equal(
    lastError?.message,
    "config/views/rides.sql, line 6, column 20: Athena: COLUMN_NOT_FOUND: Column 'ridez' cannot be resolved; correct the SQL of that view, or its tables in Athena",
  );
  assert.equal(await textOf(running), CSV);
  assert.equal(
    nextPollAt,
    running.clock.now() - 500 + 2 * HOUR,
    'a query that fails is not paid again at once',
  );
});

test('Athena refuses a text before it runs: that has the file, line and column as well', async (t) => {
  const message = "line 6:1: mismatched input 'FORM'. Expecting: ',', 'FROM', <EOF>";
  const answer = { error: 'InvalidRequestException', message };
  const running = await world(t, succeeding({ StartQueryExecution: () => answer }));
  await running.start();
  await running.pass(0);
  const { lastError, nextPollAt } = running.view.status();
  assert.equal(lastError?.code, 'VIEW_BROKEN');
  assert.equal(
    lastError?.message,
    "config/views/rides.sql, line 6, column 1: Athena: mismatched input 'FORM'. Expecting: ',', 'FROM', <EOF>; correct the SQL of that view, or its tables in Athena",
  );
  assert.equal(nextPollAt, running.clock.now() + 2 * HOUR);
});

test('a request that Athena refuses says which option to correct', async (t) => {
  const cases: [message: string, said: RegExp][] = [
    [
      'WorkGroup reports is not found.',
      /^athena:StartQueryExecution: InvalidRequestException: WorkGroup reports is not found; create that workgroup, or correct athena\.workgroup$/,
    ],
    [
      'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      /as an API input; set athena\.output, or the location of results in the workgroup, to a place in a bucket that exists/,
    ],
    ['Unable to verify/create output bucket my-bucket', /output bucket my-bucket; set athena\.output, /],
    ['Something else.', /: Something else; check athena\.workgroup, athena\.database and athena\.output$/],
  ];
  for (const [message, said] of cases) {
    const answer = { error: 'InvalidRequestException', message };
    const running = await world(t, succeeding({ StartQueryExecution: () => answer }));
    await running.start();
    await running.pass(0);
    assert.equal(running.view.status().lastError?.code, 'ATHENA_REQUEST_FAILED');
    assert.match(running.view.status().lastError!.message, said);
    await running.stop();
  }
});

test('a query that ends for another reason than its SQL does not blame it', async (t) => {
  const cases: [state: string, reason: string, said: RegExp][] = [
    [
      'CANCELLED',
      'Query cancelled by user',
      /rides\.sql: Athena: Query cancelled by user; it runs again when it is due; see in Athena who cancelled it$/,
    ],
    ['CANCELLED', 'Bytes scanned limit was exceeded', /exceeded; let it read fewer days: .* limit on bytes$/],
    [
      'FAILED',
      'Permission denied on S3 path: s3://bucket/fleet/history/rides',
      /rides; allow what it names to the credentials of the service \(docs\/iam\.md\)$/,
    ],
    ['FAILED', 'Query exhausted resources at this scale factor.', /factor; it runs again when it is due$/],
  ];
  for (const [State, StateChangeReason, said] of cases) {
    const ended = { QueryExecution: { Status: { State, StateChangeReason } } };
    const running = await world(t, succeeding({ GetQueryExecution: () => ended }));
    await running.start();
    await running.pass(0);
    await running.pass(500);
    const { lastError, nextPollAt } = running.view.status();
    assert.equal(lastError?.code, 'ATHENA_QUERY_FAILED');
    assert.match(lastError!.message, said);
    assert.equal(nextPollAt, running.clock.now() - 500 + 2 * HOUR);
    assert.equal(running.operations().at(-1), 'GetQueryExecution', 'it has ended: nothing is to be stopped');
    await running.stop();
  }
});

test("throttling and denied access are AWS's sentences, tried again sooner and sooner less", async (t) => {
  let answer: AthenaAnswer = { error: 'TooManyRequestsException', message: 'Rate exceeded' };
  const running = await world(t, succeeding({ StartQueryExecution: () => answer }));
  await running.start();
  await running.pass(0);
  assert.equal(running.view.status().lastError?.code, 'AWS_THROTTLED');
  assert.match(
    running.view.status().lastError!.message,
    /athena:StartQueryExecution: AWS throttles it: Rate exceeded/,
  );
  assert.equal(running.view.status().nextPollAt, running.clock.now() + 30_000);
  const sentence = 'User: arn:aws:iam::1:user/x is not authorized to perform: glue:GetTable on resource: y';
  answer = { error: 'AccessDeniedException', message: sentence };
  await running.pass(30_000);
  assert.match(running.view.status().lastError!.message, /glue:GetTable on resource: y; allow glue:GetTable/);
  assert.equal(running.view.status().nextPollAt, running.clock.now() + 60_000);
  answer = { QueryExecutionId: 'q-1' };
  await running.pass(60_000);
  await running.pass(500);
  assert.equal(running.view.status().lastError, null);
  assert.equal(running.lines.filter(({ level }) => level === 'error').length, 2);
});

test('a query that was started is not given up, and paid again, because AWS does not answer for a moment', async (t) => {
  const failures: AthenaAnswer[] = [
    { error: 'TooManyRequestsException', message: 'Rate exceeded' },
    { error: 'InternalServerException', message: 'oh' },
  ];
  const failing = { GetQueryExecution: [...failures], GetQueryResults: [...failures] };
  const running = await world(
    t,
    succeeding({
      GetQueryExecution: () => failing.GetQueryExecution.shift() ?? ENDED,
      GetQueryResults: () => failing.GetQueryResults.shift() ?? resultPage(COLUMNS, [HEADER, ...ROWS]),
    }),
  );
  await running.start();
  await running.pass(0);
  await running.pass(500);
  for (let pauses = 0; pauses < 4; pauses++) await running.pass(5_000);
  assert.equal(await textOf(running), CSV);
  assert.equal(running.operations().filter((operation) => operation === 'StartQueryExecution').length, 1);
  assert.equal(running.view.status().lastError, null);
});

test('a query whose end cannot be asked for is stopped, and not paid again before it is due', async (t) => {
  const sentence = 'User: arn:aws:iam::1:user/x is not authorized to perform: athena:GetQueryExecution';
  const denied = { error: 'AccessDeniedException', message: sentence };
  const running = await world(
    t,
    succeeding({ GetQueryExecution: () => denied, StopQueryExecution: () => ({}) }),
  );
  await running.start();
  await running.pass(0);
  await running.pass(500);
  const { lastError, nextPollAt } = running.view.status();
  assert.match(lastError?.message ?? '', /athena:GetQueryExecution; allow athena:GetQueryExecution/);
  assert.equal(running.operations().at(-1), 'StopQueryExecution');
  assert.equal(nextPollAt, running.clock.now() - 500 + 2 * HOUR);
});

test('two statements are a mistake of the view, not of the workgroup', async (t) => {
  const message = `Only one sql statement is allowed. Got: ${SQL}; SELECT 'permission denied'`;
  const cases = [
    { error: 'InvalidRequestException', message },
    { error: 'InvalidRequestException', message: 'It is malformed', AthenaErrorCode: 'MALFORMED_QUERY' },
  ];
  for (const answer of cases) {
    const running = await world(t, succeeding({ StartQueryExecution: () => answer }));
    await running.start();
    await running.pass(0);
    const { lastError, nextPollAt } = running.view.status();
    assert.equal(lastError?.code, 'VIEW_BROKEN');
    assert.match(
      lastError!.message,
      /^config\/views\/rides\.sql: Athena: (Only one sql statement is allowed|It is malformed); correct the SQL/,
    );
    assert.equal(nextPollAt, running.clock.now() + 2 * HOUR);
    await running.stop();
  }
});

test('the lines of the comment may have any order', async (t) => {
  const sql = '-- Rides.\n-- every: 2h\n-- engine: athena\nSELECT 1';
  const { view } = await world(t, succeeding(), { sql });
  assert.deepEqual([view.description, view.status().interval], ['Rides.', 2 * HOUR]);
  const here = readViewHead('-- Rides of\n-- every: taxi.\nSELECT 1');
  assert.deepEqual([here.description, here.every], ['Rides of every: taxi.', null]);
});

test('a query that takes too long is stopped, and so is one that nobody waits for any more', async (t) => {
  const still = { QueryExecution: { Status: { State: 'RUNNING' } } };
  const more = { GetQueryExecution: () => still, StopQueryExecution: () => ({}) };
  const slow = await world(t, succeeding(more));
  await slow.start();
  await slow.pass(0);
  await slow.pass(31 * 60_000);
  assert.match(slow.view.status().lastError?.message ?? '', /rides\.sql: the query was stopped after 30m/);
  assert.deepEqual(slow.asked.at(-1), {
    operation: 'StopQueryExecution',
    input: { QueryExecutionId: 'q-1' },
  });
  const ending = await world(t, succeeding(more));
  await ending.start();
  await ending.pass(0);
  await ending.stop();
  assert.equal(ending.operations().at(-1), 'StopQueryExecution');
});

test('a result that is more than a dataset may have is an error, and is read no further', async (t) => {
  const page = resultPage({ n: 'bigint' }, Array(1_000).fill(['1']), 'more');
  const running = await world(t, succeeding({ GetQueryResults: () => page }), {
    sql: '-- engine: athena\nSELECT n FROM endless',
  });
  await running.start();
  await running.pass(0);
  await running.pass(500);
  assert.equal(running.view.status().lastError?.code, 'ATHENA_RESULT_TOO_LARGE');
  assert.equal(running.operations().filter((operation) => operation === 'GetQueryResults').length, 201);
});

test('a full disk keeps the result in memory, and the next one is written', async (t) => {
  let isFull = true;
  const files = new FaultyFiles(nodeFiles, ({ name }) =>
    isFull && name === 'write' ? { fails: 'ENOSPC' } : null,
  );
  const running = await world(t, succeeding(), { files });
  await running.start();
  await running.pass(0);
  await running.pass(500);
  assert.equal(await textOf(running), CSV);
  assert.equal(running.view.status().persisted, false);
  isFull = false;
  await running.pass(2 * HOUR);
  await running.pass(500);
  assert.equal(running.view.status().persisted, true);
  assert.equal(await readFile(join(running.dataDir, 'results', 'rides.csv'), 'utf8'), CSV);
});

test('what is wrong with a view is its status, not a query', async (t) => {
  const cases: [sql: string, given: Given, message: RegExp][] = [
    [
      '-- engine: athena\nSELECT 1',
      { isConfigured: false },
      /the configuration has no athena; add it, such as athena: \{ database: fleet \}/,
    ],
    [
      '-- engine: spark\nSELECT 1',
      {},
      /"-- engine: spark" is not an engine that views can name; write -- engine: athena/,
    ],
    [
      '-- engine: athena\n-- every: soon\nSELECT 1',
      {},
      /"-- every: soon" is not a duration of a minute or more/,
    ],
    ['-- engine: athena\n-- every: 1s\nSELECT 1', {}, /"-- every: 1s" is not a duration/],
    ['-- engine: athena\nDROP TABLE rides', {}, /it is not a SELECT; write exactly one SELECT/],
  ];
  for (const [sql, given, message] of cases) {
    const { view, operations } = await world(t, succeeding(), { ...given, sql });
    assert.match(view.status().lastError?.message ?? '', message);
    await assert.rejects(view.content(), { code: 'VIEW_BROKEN', message: /./ });
    assert.deepEqual(operations(), []);
  }
  const lacking = await world(t, succeeding(), { sql: SQL.replace('keys: day', 'keys: week') });
  await lacking.start();
  await lacking.pass(0);
  await lacking.pass(500);
  assert.match(
    lacking.view.status().lastError?.message ?? '',
    /names the column "week", which its SQL does not give/,
  );
});

test('other views and windows read it like any dataset', async (t) => {
  const { Sql } = await import('../../src/sql/sql.js');
  const running = await world(t, succeeding());
  const registry = new DatasetRegistry();
  registry.add(running.view);
  const { clock, dataDir } = running;
  const sql = new Sql({ dataDir, timeZone: 'UTC', registry, clock, logger: pino({ level: 'silent' }) });
  t.after(() => sql.close());
  await running.start();
  await running.pass(0);
  await running.pass(500);
  const answer = async (query: {
    run(signal: AbortSignal): Promise<{ readonly body: AsyncIterable<Buffer> }>;
  }) => {
    const chunks: Buffer[] = [];
    for await (const chunk of (await query.run(new AbortController().signal)).body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  assert.equal(
    await answer(await sql.queries.sql('SELECT sum(rides) AS rides FROM rides', [])),
    'rides\n109294\n',
  );
  const window = await sql.queries.window(running.view, [
    ['from', '2026-11-24'],
    ['columns', 'day,rides'],
  ]);
  assert.equal(await answer(window), 'day,rides\n2026-11-24,53817\n');
});
