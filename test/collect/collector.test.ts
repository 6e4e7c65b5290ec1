import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { DynamoCsvError } from '../../src/base/errors.js';
import { createPollMetrics } from '../../src/collect/metrics.js';
import { withDeadline } from '../../src/collect/schedule.js';
import { nodeFiles } from '../../src/volume/files.js';
import { ManualClock } from '../support/manual-clock.js';
import { collectorWorld, counted } from './world.js';

const START = Date.parse('2026-11-24T09:30:00.000Z');
const SECOND = 1_000;

const throttled = new DynamoCsvError('TABLE_THROTTLED', 'DynamoDB throttles', { remedy: 'wait' });
const missing = new DynamoCsvError('TABLE_NOT_FOUND', 'There is no table', { remedy: 'check the name' });

const clockAtStart = () => new ManualClock(START);
const seconds = (times: readonly { at: number }[]) => times.map(({ at }) => (at - START) / SECOND);

describe('the grid of polls', () => {
  it('begins at the source’s own start and goes on in steps of the interval', async (t) => {
    const clock = clockAtStart();
    const { source, run, health, served } = await collectorWorld(t, { clock, offset: 250 });
    source.script = (poll) => counted(poll);
    run();
    await clock.asleep();
    assert.equal(health.nextPollAt, START + 250);
    for (let poll = 1; poll <= 3; poll++) await clock.next();
    assert.deepEqual(seconds(source.asked), [0.25, 30.25, 60.25]);
    assert.equal(health.nextPollAt, START + 90_250);
    assert.equal(health.readAt, START + 60_250);
    assert.equal(await served(), 'id,count\npickup,3\n');
  });

  it('skips and counts the polls that are due while one runs, and never runs two', async (t) => {
    const clock = clockAtStart();
    const { source, run, collector, metrics, served } = await collectorWorld(t, { clock });
    run();
    await clock.asleep();
    clock.advance(0);
    const slow = await source.askedTimes(1);
    clock.advance(70 * SECOND);
    assert.equal(source.asked.length, 1);
    slow.answer(counted(1));
    await clock.asleep();
    assert.equal(collector.statistics.skipped, 2);
    source.script = (poll) => counted(poll);
    await clock.next();
    await clock.next();
    assert.deepEqual(seconds(source.asked), [0, 90, 120]);
    assert.equal(await served(), 'id,count\npickup,3\n');
    assert.match(await metrics.registry.metrics(), /polls_total\{dataset="flags",outcome="skipped"\} 2/);
  });

  it('goes on when the clock is set back by a day while a poll runs', async (t) => {
    for (const outcome of ['success', 'failure']) {
      const clock = clockAtStart();
      const { source, run, health, collector } = await collectorWorld(t, { clock });
      run();
      await clock.asleep();
      clock.advance(0);
      const poll = await source.askedTimes(1);
      clock.set(START - 86_400_000 + 10 * SECOND);
      if (outcome === 'success') poll.answer(counted(1));
      else poll.fail(throttled);
      await clock.asleep();
      assert.equal((health.nextPollAt! - clock.now()) / SECOND, outcome === 'success' ? 20 : 30);
      assert.equal(collector.statistics.lastDuration, 0);
    }
  });
});

describe('a poll that hangs', () => {
  for (const listens of [true, false]) {
    it(`is given up and reported, and the next one starts afresh (it ${listens ? 'listens' : 'does not listen'} to its signal)`, async (t) => {
      const clock = clockAtStart();
      const { source, run, health, served } = await collectorWorld(t, { clock, patience: 20 });
      source.listens = listens;
      run();
      await clock.asleep();
      clock.advance(0);
      const hanging = await source.askedTimes(1);
      await clock.asleep();
      assert.equal(hanging.signal.aborted, true);
      assert.equal(health.lastError?.code, 'POLL_TIMED_OUT');
      assert.match(
        health.lastError.message,
        /A poll of scripted was aborted: .* after 20ms; check the network/,
      );
      source.script = (poll) => counted(poll);
      await clock.next();
      assert.equal(health.lastError, null);
      assert.equal(await served(), 'id,count\npickup,2\n');
    });
  }

  it('is given the time that its source needs', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let needed = 1_000;
    const deadline = {
      patience: 100,
      needed: () => needed,
      tooLong: (time: number) => new Error(`${time} ms`),
    };
    const read = withDeadline(deadline, new AbortController().signal, () => new Promise(() => {}));
    const ended = assert.rejects(read, /^Error: 1500 ms$/);
    t.mock.timers.tick(100);
    needed = 1_500;
    t.mock.timers.tick(900);
    t.mock.timers.tick(500);
    await ended;
  });
});

describe('a source that fails', () => {
  it('waits twice as long each time, up to two minutes, and is back on its grid after a success', async (t) => {
    const clock = clockAtStart();
    const { source, run, health, collector } = await collectorWorld(t, { clock });
    source.script = (poll) => (poll <= 5 ? throttled : counted(poll));
    run();
    await clock.asleep();
    for (let poll = 1; poll <= 5; poll++) await clock.next();
    assert.deepEqual(health.lastError, {
      code: 'TABLE_THROTTLED',
      message: 'DynamoDB throttles; wait',
      at: START + 330 * SECOND,
    });
    await clock.next();
    await clock.next();
    assert.deepEqual(seconds(source.asked), [0, 30, 90, 210, 330, 450, 480]);
    assert.equal(health.lastError, null);
    assert.equal(collector.statistics.failures, 5);
  });

  it('comes back to the grid without two polls in quick succession', async (t) => {
    const clock = clockAtStart();
    const { source, run } = await collectorWorld(t, { clock, random: 1 });
    source.script = (poll) => (poll <= 2 ? throttled : counted(poll));
    run();
    await clock.asleep();
    for (let poll = 1; poll <= 4; poll++) await clock.next();
    // After the success at 135 s the grid's next time is 150 s; the one a minute after it would be late.
    assert.deepEqual(seconds(source.asked), [0, 45, 135, 150]);
  });

  it('never comes more often than its interval, whatever chance says', async (t) => {
    for (const random of [0, 1]) {
      const clock = clockAtStart();
      const interval = 5 * 60 * SECOND;
      const { source, run } = await collectorWorld(t, { clock, interval, random });
      source.script = () => throttled;
      run();
      await clock.asleep();
      for (let poll = 1; poll <= 4; poll++) await clock.next();
      const waits = seconds(source.asked)
        .slice(1)
        .map((at, index) => at - seconds(source.asked)[index]!);
      assert.deepEqual(waits, [0, 0, 0].fill(random === 0 ? 300 : 360));
    }
  });

  it('keeps the last good rows up, with their age', async (t) => {
    const clock = clockAtStart();
    const { source, run, recorder, served } = await collectorWorld(t, { clock });
    source.script = (poll) => (poll === 1 ? counted(7) : missing);
    run();
    await clock.asleep();
    await clock.next();
    for (let poll = 1; poll <= 3; poll++) await clock.next();
    assert.equal(await served(), 'id,count\npickup,7\n');
    const { freshness, readAt, lastError } = recorder.datasets[0]!.status();
    assert.deepEqual(
      [freshness, readAt, lastError?.message],
      ['stale', START, 'There is no table; check the name'],
    );
  });

  it('tells of a failure once, of another reason once more, and of the recovery', async (t) => {
    const clock = clockAtStart();
    const { source, run, lines } = await collectorWorld(t, { clock });
    const said = [throttled, throttled, missing, missing];
    source.script = (poll) => said[poll - 1] ?? counted(poll);
    run();
    await clock.asleep();
    for (let poll = 1; poll <= 6; poll++) await clock.next();
    assert.deepEqual(
      lines.filter(({ level }) => level !== 'debug').map(({ level, msg }) => `${level}: ${msg}`),
      [
        'warn: DynamoDB throttles; wait',
        'warn: There is no table; check the name',
        'info: polls succeed again',
      ],
    );
    const { failures, lasted, rows } = lines.find(({ msg }) => msg === 'polls succeed again')!;
    assert.deepEqual({ failures, lasted, rows }, { failures: 4, lasted: '330s', rows: 1 });
  });

  it('is no reason for another source to wait', async (t) => {
    const clock = clockAtStart();
    const metrics = createPollMetrics(new Registry());
    const hanging = await collectorWorld(t, { clock, metrics, name: 'hanging' });
    const failing = await collectorWorld(t, { clock, metrics, name: 'failing' });
    const good = await collectorWorld(t, { clock, metrics, name: 'good' });
    failing.source.script = () => throttled;
    good.source.script = (poll) => counted(poll);
    for (const { run } of [hanging, failing, good]) run();
    await clock.asleep(3);
    clock.advance(0);
    await hanging.source.askedTimes(1);
    await clock.asleep(2);
    for (let poll = 1; poll <= 4; poll++) await clock.next();
    assert.deepEqual(seconds(good.source.asked), [0, 30, 60, 90, 120]);
    assert.equal(await good.served(), 'id,count\npickup,5\n');
    assert.deepEqual([good.health.lastError, good.collector.statistics.skipped], [null, 0]);
  });
});

describe('what is shown beside the rows', () => {
  it('a part of the source that could not be read, while the rest is recorded', async (t) => {
    const clock = clockAtStart();
    const { source, run, health, served } = await collectorWorld(t, { clock });
    source.script = (poll) => counted(poll, { problem: poll === 1 ? throttled : null });
    run();
    await clock.asleep();
    await clock.next();
    assert.equal(await served(), 'id,count\npickup,1\n');
    assert.equal(health.lastError?.message, 'DynamoDB throttles; wait');
    await clock.next();
    assert.equal(health.lastError, null);
  });

  it('a full disk, once in the log, and that it has room again', async (t) => {
    const clock = clockAtStart();
    let isFull = false;
    const files = {
      ...nodeFiles,
      open: (path: string, mode: 'r' | 'r+' | 'w+') => {
        if (isFull && mode === 'w+') throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        return nodeFiles.open(path, mode);
      },
    };
    const { source, run, health, recorder, lines, served } = await collectorWorld(t, { clock, files });
    source.script = (poll) => counted(poll);
    run();
    await clock.asleep();
    await clock.next();
    isFull = true;
    await clock.next();
    await clock.next();
    assert.equal(await served(), 'id,count\npickup,3\n');
    assert.equal(recorder.datasets[0]!.status().persisted, false);
    assert.equal(health.lastError?.code, 'NOT_PERSISTED');
    assert.match(health.lastError.message, /There is no room to write .*flags\.json/);
    isFull = false;
    await clock.next();
    assert.equal(recorder.datasets[0]!.status().persisted, true);
    assert.equal(health.lastError, null);
    const told = lines.filter(({ level }) => ['error', 'info'].includes(level));
    assert.deepEqual(
      told.map(({ level, code, msg }) => [level, code ?? msg]),
      [
        ['info', 'first poll'],
        ['error', 'NOT_PERSISTED'],
        ['info', 'the volume takes the data again'],
      ],
    );
  });

  it('a line per poll at debug, and what it cost in the metrics', async (t) => {
    const clock = clockAtStart();
    const { source, run, lines, metrics } = await collectorWorld(t, { clock });
    run();
    await clock.asleep();
    clock.advance(0);
    const poll = await source.askedTimes(1);
    clock.advance(250);
    poll.answer(counted(1));
    await clock.asleep();
    const { dataset, took, rows, attempts, readUnits } = lines.find(({ level }) => level === 'debug')!;
    assert.deepEqual(
      { dataset, took, rows, attempts, readUnits },
      { dataset: 'flags', took: 250, rows: 1, attempts: 2, readUnits: 0.5 },
    );
    const text = await metrics.registry.metrics();
    for (const line of [
      'dynamo_csv_polls_total{dataset="flags",outcome="success"} 1',
      'dynamo_csv_poll_duration_seconds_sum{dataset="flags"} 0.25',
      'dynamo_csv_items{dataset="flags"} 1',
      'dynamo_csv_read_bytes_total{dataset="flags"} 100',
      'dynamo_csv_attempts_total{dataset="flags"} 2',
      'dynamo_csv_consumed_read_capacity_units_total{dataset="flags"} 0.5',
    ])
      assert.ok(text.includes(`${line}\n`), line);
  });
});

describe('the end', () => {
  it('drops a reading that is under way, and leaves no trace of it', async (t) => {
    const clock = clockAtStart();
    const { source, run, collector, health, lines } = await collectorWorld(t, { clock });
    const stop = run();
    await clock.asleep();
    clock.advance(0);
    const { signal } = await source.askedTimes(1);
    await stop();
    assert.equal(signal.aborted, true);
    assert.deepEqual([collector.statistics.polls, health.lastError, health.nextPollAt], [0, null, null]);
    assert.deepEqual(lines, []);
  });
});
