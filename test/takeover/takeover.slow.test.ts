import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitRows } from '../../src/csv/decode.js';
import { inferColumns, untyped } from '../../src/csv/infer.js';
import { convertPythonFile } from '../../src/takeover/python-file.js';
import { utcTime } from '../../src/takeover/python-time.js';
import { takeOver } from '../../src/takeover/takeover.js';
import { AppendFile } from '../../src/volume/append-file.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const script = `counter_type,count,timestamp
dispatch,12,2025-02-14 09:30:00
pickup,12.0,2025-02-14 09:30:00
dispatch,1E+2,2025-02-14 09:30:30.123456
`;
const ours = `counter_type,count,timestamp
dispatch,12,2025-02-14T09:30:00.000Z
pickup,12.0,2025-02-14T09:30:00.000Z
dispatch,1E+2,2025-02-14T09:30:30.123Z
`;

async function converted(text: string) {
  const conversion = await convertPythonFile(Buffer.from(text), { kind: 'log' });
  assert.ok(conversion);
  return { ...conversion, text: conversion.bytes.toString() };
}

test('zoneless times are UTC and become ISO 8601; other cells stay as they are', async () => {
  const { text, rows, timesConverted, rejected } = await converted(script);
  assert.equal(text, ours);
  assert.deepEqual([rows, timesConverted, rejected.length], [3, 3, 0]);
});

test('times in all their forms', () => {
  assert.equal(utcTime('2025-02-14 09:30:00'), '2025-02-14T09:30:00.000Z');
  assert.equal(utcTime('2025-02-14T09:30:00.5'), '2025-02-14T09:30:00.500Z');
  assert.equal(utcTime('2025-02-14T09:30:00.123Z'), '2025-02-14T09:30:00.123Z');
  assert.equal(utcTime('2025-02-14 09:30:00+09:00'), '2025-02-14T00:30:00.000Z');
  assert.equal(utcTime('2025-02-14 09:30:00.25-0430'), '2025-02-14T14:00:00.250Z');
  assert.equal(utcTime('"2024-02-29 00:00:00"'), '2024-02-29T00:00:00.000Z');
  for (const not of [
    '',
    '2025-02-30 00:00:00',
    '2025-02-14 24:00:00',
    '2025-02-14 09:30:0',
    '2025-02-14',
    'now',
  ]) {
    assert.equal(utcTime(not), null, not);
  }
});

test('BOM, CRLF, blank lines and quoted cells', async () => {
  const { text, rejected } = await converted(
    '\uFEFFcounter_type,count,timestamp\r\n"a\r\nb",1,"2025-02-14 09:30:00"\r\n\r\nc,2,2025-02-14T09:30:00.000Z\r\r\n',
  );
  assert.equal(
    text,
    'counter_type,count,timestamp\n"a\r\nb",1,2025-02-14T09:30:00.000Z\nc,2,2025-02-14T09:30:00.000Z\n',
  );
  assert.deepEqual(rejected, []);
});

test('a mix of both forms is converted to the end, and a converted file is left alone', async () => {
  const bytes = Buffer.from(ours);
  const again = await convertPythonFile(bytes, { kind: 'log' });
  assert.equal(again?.bytes, bytes);
  const mixed = await converted(ours + script.slice(script.indexOf('\n') + 1));
  assert.equal(mixed.text, ours + ours.slice(ours.indexOf('\n') + 1));
  assert.equal(mixed.timesConverted, 3);
});

test('lines that are no rows are set apart with their place and reason, and no other line with them', async () => {
  const { text, rejected, rows } = await converted(
    [
      'counter_type,count,timestamp',
      'dispatch,1,2025-02-14 09:30:00',
      'dispatch,1',
      '"multi\nline",1,2025-02-14 09:30:00',
      'counter_type,count,timestamp',
      'dispatch,1,yesterday',
      '"never closed,1,2025-02-14 09:30:00',
      'pickup,5,2025-02-14 09:31:00',
      'pickup,6,2025-02-14 09:3',
    ].join('\n'),
  );
  assert.deepEqual(
    rejected.map(({ line, reason, text }) => [line, reason, text.toString()]),
    [
      [3, '2 cells where the header has 3', 'dispatch,1'],
      [6, 'the header again', 'counter_type,count,timestamp'],
      [7, 'a last cell that is not a time', 'dispatch,1,yesterday'],
      [8, 'a quote that is never closed', '"never closed,1,2025-02-14 09:30:00'],
      [10, 'a last cell that is not a time', 'pickup,6,2025-02-14 09:3'],
    ],
  );
  assert.equal(rows, 3);
  assert.equal(text.split('\n').length, 6);
});

test('a last row that is whole but for its line end is kept', async () => {
  assert.equal((await converted(script.slice(0, -1))).text, ours);
});

test('any file: each line is a row or rejected, and converting again changes nothing', async () => {
  const line = fc.oneof(
    fc.constantFrom(
      'a,1,2025-02-14 09:30:00',
      'b,"x,""y""",2025-02-14T09:30:00.000Z',
      'c,1',
      '',
      'h,n,timestamp',
    ),
    fc.string({ unit: fc.constantFrom('a', ',', '"', ' ', '\r', '2025-02-14 09:30:00'), maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.boolean(), async (lines, ended) => {
      const input = `h,n,timestamp\n${lines.join('\n')}${ended ? '\n' : ''}`;
      const first = await converted(input);
      const split = await splitRows(first.bytes);
      assert.equal(split.ends.length, first.rows);
      const second = await converted(first.text);
      assert.equal(second.text, first.text);
      assert.deepEqual([second.rows, second.rejected.length], [first.rows, 0]);
      // Every character that is no line end, and no part of a time, is in the rows or among the rejected.
      const bare = (text: string) =>
        text
          .replaceAll(/[\s":.TZ\d-]/g, '')
          .split('')
          .sort()
          .join('');
      const rejected = first.rejected.map(({ text }) => text.toString()).join('');
      assert.equal(bare(first.text + rejected), bare(input));
    }),
    { numRuns: 500 },
  );
});

test('a folder of the script: original and rejected lines are kept, history continues in the converted file', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flag-dynamodb.csv');
  const original = `${script}pickup,7,2025-0`;
  await writeFile(path, original);
  const report = await takeOver({ path, kind: 'log' }, nodeFiles);
  assert.deepEqual(report, {
    path,
    rows: 3,
    timesConverted: 3,
    keptAt: join(dir, 'taken-over/flag-dynamodb.csv'),
    rejected: 1,
    rejectedAt: join(dir, 'taken-over/flag-dynamodb.rejected.csv'),
  });
  assert.equal(await readFile(report.keptAt, 'utf8'), original);
  assert.equal(
    await readFile(report.rejectedAt!, 'utf8'),
    'line,reason,text\n5,a last cell that is not a time,"pickup,7,2025-0"\n',
  );
  assert.equal(await takeOver({ path, kind: 'log' }, nodeFiles), null, 'nothing to take over any more');
  const log = await AppendFile.open(path, nodeFiles);
  await log.append(Buffer.from('pickup,8,2025-02-14T10:00:00.000Z\n'));
  await log.close();
  assert.equal(await readFile(path, 'utf8'), `${ours}pickup,8,2025-02-14T10:00:00.000Z\n`);
  assert.equal(await takeOver({ path, kind: 'log' }, nodeFiles), null);
});

test('the script ran again in between: both originals are kept', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flag-dynamodb.csv');
  await writeFile(path, script);
  await takeOver({ path, kind: 'log' }, nodeFiles);
  const mixed = `${ours}pickup,9,2025-02-15 00:00:00\n`;
  await writeFile(path, mixed);
  const second = await takeOver({ path, kind: 'log' }, nodeFiles);
  assert.equal(second?.keptAt, join(dir, 'taken-over/flag-dynamodb-2.csv'));
  assert.equal(await readFile(second.keptAt, 'utf8'), mixed);
  assert.equal(await readFile(path, 'utf8'), `${ours}pickup,9,2025-02-15T00:00:00.000Z\n`);
});

test('our own log with a torn end is left to its own recovery', async (t) => {
  const path = join(await temporaryFolder(t), 'flag-dynamodb.csv');
  for (const torn of ['pickup,1', 'pickup,1,2025-02-14T10:00:00.000Z', '"pick']) {
    await writeFile(path, ours + torn);
    assert.equal(await takeOver({ path, kind: 'log' }, nodeFiles), null);
    assert.equal(await readFile(path, 'utf8'), ours + torn);
  }
});

test('a log published under another name, with renamed columns, moves there', async (t) => {
  const dir = await temporaryFolder(t);
  const scriptPath = join(dir, 'flag-dynamodb.csv');
  const path = join(dir, 'flags.csv');
  await writeFile(scriptPath, script);
  const options = {
    path,
    scriptPath,
    kind: 'log',
    timeColumn: 'polled',
    rename: { counter_type: 'counter' },
  } as const;
  await takeOver(options, nodeFiles);
  assert.equal(
    await readFile(path, 'utf8'),
    ours.replace('counter_type,count,timestamp', 'counter,count,polled'),
  );
  assert.deepEqual((await readdir(dir)).sort(), ['flags.csv', 'taken-over']);
  // A crash before the last step: theirs is still there, and kept aside already.
  await writeFile(scriptPath, script);
  assert.equal(await takeOver(options, nodeFiles), null);
  assert.deepEqual((await readdir(dir)).sort(), ['flags.csv', 'taken-over']);
  // Another file of that name is not ours to remove.
  await writeFile(scriptPath, 'something else\n');
  assert.equal(await takeOver(options, nodeFiles), null);
  assert.equal(await readFile(scriptPath, 'utf8'), 'something else\n');
});

test('half a snapshot of the script: whole rows are served, the original is kept', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'zone-count-dynamodb.csv');
  await writeFile(path, 'zone_id,count\r\n4,12\r\n12,3\r\n13,1');
  const report = await takeOver({ path, kind: 'snapshot' }, nodeFiles);
  assert.equal(report?.rejected, 1);
  assert.equal(await readFile(path, 'utf8'), 'zone_id,count\n4,12\n12,3\n');
  assert.equal(await takeOver({ path, kind: 'snapshot' }, nodeFiles), null);
});

test('files that are not the script’s are left alone', async (t) => {
  const dir = await temporaryFolder(t);
  const path = join(dir, 'flag-dynamodb.csv');
  assert.equal(await takeOver({ path, kind: 'log' }, nodeFiles), null, 'no file');
  for (const text of ['', '\n', 'counter_type,cou', 'a,timestamp,b\n1,2025-02-14 09:30:00,2\n']) {
    await writeFile(path, text);
    assert.equal(await takeOver({ path, kind: 'log' }, nodeFiles), null);
    assert.equal(await readFile(path, 'utf8'), text);
  }
});

test('bytes that are not UTF-8 are kept as they are, in rows and among the rejected', async (t) => {
  const path = join(await temporaryFolder(t), 'flag-dynamodb.csv');
  const cell = Buffer.from([0xff, 0xfe, 0x80]);
  const rest = Buffer.from(',1,2025-02-14 09:30:00\n');
  await writeFile(
    path,
    Buffer.concat([Buffer.from('h,n,timestamp\n'), cell, rest, cell, Buffer.from('"\n')]),
  );
  const report = await takeOver({ path, kind: 'log' }, nodeFiles);
  assert.ok(
    (await readFile(path)).includes(Buffer.concat([Buffer.from('\n'), cell, Buffer.from(',1,2025-02-14T')])),
  );
  assert.ok((await readFile(report!.rejectedAt!)).includes(Buffer.concat([cell, Buffer.from('""')])));
});

test('months of history are converted without holding up the event loop', async () => {
  const rows = Array.from({ length: 400_000 }, (_, i) => {
    const time = new Date(1_739_525_400_000 + Math.floor(i / 2) * 30_000).toISOString();
    return `${i % 2 === 0 ? 'dispatch' : 'pickup'},${i},${time.slice(0, 19).replace('T', ' ')}`;
  });
  const bytes = Buffer.from(`counter_type,count,timestamp\n${rows.join('\n')}\n`);
  let turns = 0;
  let other = setImmediate(function turn() {
    turns++;
    other = setImmediate(turn);
  });
  const conversion = await convertPythonFile(bytes, { kind: 'log' });
  clearImmediate(other);
  assert.equal(conversion?.timesConverted, rows.length);
  assert.ok(turns >= bytes.length / 2 ** 21, `other work ran ${turns} times`);
});

test('types are inferred from the rows', async () => {
  const file = await splitRows(
    Buffer.from(
      'id,text,flag,none,mixed,timestamp\n1,a,true,,1,2025-02-14T09:30:00.000Z\n"-1.50",,false,,x,\n1E+2,,,,,\n',
    ),
  );
  assert.deepEqual(
    (await inferColumns(untyped(file))).map(({ type, seen }) => (seen ? type : 'unseen')),
    ['number', 'string', 'boolean', 'unseen', 'string', 'time'],
  );
});
