import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DynamoCsvError } from '../../src/base/errors.js';
import { LocalDays } from '../../src/base/local-days.js';
import type { Dataset } from '../../src/datasets/dataset.js';
import type { Parameters, Queries } from '../../src/datasets/queries.js';
import { HeldColumns } from '../../src/sql/held-columns.js';
import { WindowQueries } from '../../src/windows/window-queries.js';
import { ScriptedDataset } from '../support/scripted-dataset.js';
import { SqlWorld } from '../support/sql-world.js';
import { NOW } from './duckdb-table.js';
import { type Case, caseOf } from './questions.js';

/** Windows of one generated dataset: it is loaded into DuckDB once for all of them. */
const PER_DATASET = 20;
/** Windows compared in all; `WINDOW_CASES=50000` for as many as a change to either way deserves. */
const CASES = Number(process.env.WINDOW_CASES ?? 3_000);
const SEED = Number(process.env.WINDOW_SEED ?? 2026);
/** Where the local days come from: the clocks change by an hour, by half an hour, and never. */
const ZONES = ['America/New_York', 'Australia/Lord_Howe', 'Asia/Seoul'] as const;

/** What a window is answered with, or refused with. */
async function outcomeOf(queries: Queries, dataset: Dataset, parameters: Parameters): Promise<object> {
  try {
    const { key, until, contentType, readAt, atOnce, run } = await queries.window(dataset, parameters);
    const { columns, body } = await run(new AbortController().signal);
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    const whole = Buffer.concat(parts);
    const inOnePiece = atOnce?.() ?? whole;
    assert.equal(inOnePiece.toString(), whole.toString());
    return { key, until, contentType, readAt, columns, body: whole.toString() };
  } catch (error) {
    if (!(error instanceof DynamoCsvError)) throw error;
    return { code: error.code, status: error.status, line: error.line };
  }
}

for (const [index, timeZone] of ZONES.entries()) {
  test(`windows computed from rows in memory have the bytes that DuckDB gives them, in ${timeZone}`, async (t) => {
    const { sql, time } = await SqlWorld.start(t, { now: NOW, timeZone });
    let handedOver = 0;
    let answered = 0;
    let aggregated = 0;
    const fromColumns = t.mock.method(HeldColumns.prototype, 'tableFor');
    const next: Queries = {
      window: (...question) => {
        handedOver += 1;
        return sql.queries.window(...question);
      },
      sql: sql.queries.sql,
    };
    const windows = new WindowQueries({ clock: time, localDays: new LocalDays(timeZone), next });
    const holds = async ({ subject, questions }: Case) => {
      const { rows, timeColumn, ...described } = subject;
      const dataset = new ScriptedDataset({
        name: 'things',
        ...described,
        ...(timeColumn === null ? {} : { timeColumn }),
      });
      await dataset.land(rows);
      for (const parameters of questions) {
        const direct = await outcomeOf(windows, dataset, parameters);
        answered += 1;
        const search = new URLSearchParams(parameters as [string, string][]).toString();
        assert.deepEqual(direct, await outcomeOf(sql.queries, dataset, parameters), search);
        if (!parameters.some(([name]) => name === 'agg')) continue;
        // Whoever asks again is answered from columns, if anybody is.
        const again = await outcomeOf(sql.queries, dataset, parameters);
        assert.deepEqual(again, direct, `${search}, asked again`);
        aggregated += 1;
      }
    };
    const numRuns = Math.ceil(CASES / PER_DATASET / ZONES.length);
    await fc.assert(fc.asyncProperty(caseOf(PER_DATASET), holds), {
      numRuns,
      seed: SEED + index,
      endOnFailure: true,
    });
    // Errors come from columns, too.
    const tables = await Promise.allSettled(fromColumns.mock.calls.map(({ result }) => result));
    const held = tables.filter((table) => table.status === 'rejected' || table.value !== null).length;
    t.diagnostic(`${answered} windows, ${handedOver} of them DuckDB's`);
    t.diagnostic(`${aggregated} with aggregates, asked twice, ${held} of them from columns`);
    assert.ok(held > aggregated / 25, `${held} of ${aggregated} aggregates came from columns`);
    assert.ok(handedOver < answered / 5, `${handedOver} of ${answered} windows were handed to DuckDB`);
  });
}

/** Polls of a few series, in the same order most of the time, as a table that is polled has them. */
const polls = fc.array(
  fc.record({
    series: fc.shuffledSubarray(
      [
        ['a', '1'],
        ['a', '12'],
        ['b', '1'],
        ['b', ''],
        ['é', '1'],
        ['"', '1'],
        ['a,b', '1'],
      ] as const,
      { minLength: 1 },
    ),
    isUsual: fc.boolean(),
    cells: fc.tuple(fc.nat(20), fc.constantFrom('', 'x', 'x"', 'x,1,y', 'x\ny')),
    minutes: fc.nat(3),
  }),
  { maxLength: 60 },
);
const everyWindow = fc.tuple(
  fc.constantFrom('1m', '5m', '1h', '1d'),
  fc.constantFrom<readonly (readonly [string, string])[]>(
    [],
    [['zone', 'a']],
    [['pivot', 'zone:count']],
    [['last', '30m']],
  ),
);

type Polls = ReturnType<(typeof polls)['generate']>['value'];
type EveryWindow = ReturnType<(typeof everyWindow)['generate']>['value'];

test('the last rows of each step and series are those that DuckDB finds, whatever series polls have', async (t) => {
  const { sql, time } = await SqlWorld.start(t, { now: NOW, timeZone: 'America/New_York' });
  const none: Queries = { window: () => assert.fail('handed to DuckDB'), sql: sql.queries.sql };
  const windows = new WindowQueries({
    clock: time,
    localDays: new LocalDays('America/New_York'),
    next: none,
  });
  const holds = async (made: Polls, asked: readonly EveryWindow[]) => {
    const dataset = new ScriptedDataset({
      name: 'things',
      kind: 'log',
      keys: ['zone', 'id'],
      timeColumn: 'timestamp',
      columns: [
        { name: 'zone', type: 'string', seen: true },
        { name: 'note', type: 'string', seen: true },
        { name: 'id', type: 'string', seen: true },
        { name: 'count', type: 'number', seen: true },
        { name: 'timestamp', type: 'time', seen: true },
      ],
    });
    let at = NOW - 180 * 60_000;
    const rows = made.flatMap(({ series, isUsual, cells: [count, note], minutes }) => {
      at += minutes * 60_000;
      const ordered = isUsual ? [...series].sort() : series;
      const time = new Date(at).toISOString();
      return ordered.map(([zone, id], index) => [zone, note, id, String(count + index), time]);
    });
    await dataset.land(rows);
    for (const [every, more] of asked) {
      const parameters = [['every', every] as const, ...more];
      const direct = await outcomeOf(windows, dataset, parameters);
      assert.deepEqual(direct, await outcomeOf(sql.queries, dataset, parameters), JSON.stringify(parameters));
    }
  };
  await fc.assert(fc.asyncProperty(polls, fc.array(everyWindow, { minLength: 1, maxLength: 4 }), holds), {
    numRuns: 60,
    seed: SEED,
    endOnFailure: true,
  });
});
