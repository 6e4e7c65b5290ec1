/**
 * `npm run test:emulators`: the tests of DynamoDB as a source, and of its streams, against each emulator. Prints one line
 * for each, and the tests that fail on some emulator: there it differs from the others, or the service from all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const tests = join(fileURLToPath(new URL('..', import.meta.url)), 'dist', 'test');
const TABLES = ['source.test.js', 'reading-less.test.js', 'since.test.js'].map((file) =>
  join(tests, 'sources', 'dynamodb', file),
);
const STREAMS = join(tests, 'streams', 'emulators.slow.test.js');
const SCRIPTED = [
  join(tests, 'streams', 'scripted.slow.test.js'),
  join(tests, 'sources', 'dynamodb', 'streams', 'source.test.js'),
];

/** What runs against which emulator. dynalite has no streams; the demo's stand-in is dynalite with streams. */
const RUNS = [
  ['dynalite', TABLES],
  ['stand-in', [...TABLES, STREAMS]],
  ['moto', [...TABLES, STREAMS]],
  ['dynoxide', [...TABLES, STREAMS]],
  ['scripted', SCRIPTED],
];

/** Runs tests. Resolves to the names of those that passed, failed and were skipped; suites do not count. */
async function run(emulator, files) {
  const env = { ...process.env, DYNAMODB_EMULATOR: emulator };
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', ...files], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const found = { passed: [], failed: [], skipped: [] };
  let last = null;
  for await (const line of createInterface(child.stdout)) {
    const [, no, name, skip] = /^\s*(not )?ok \d+ - (.*?)( # SKIP.*)?$/.exec(line) ?? [];
    if (name !== undefined) {
      const list = skip === undefined ? (no === undefined ? found.passed : found.failed) : found.skipped;
      list.push(name);
      last = list;
    } else if (/^\s*type: 'suite'$/.test(line)) last?.pop();
  }
  await exit;
  return found;
}

const failures = new Map();
console.log('emulator   passed  failed  skipped');
for (const [emulator, files] of RUNS) {
  const { passed, failed, skipped } = await run(emulator, files);
  const counts = [passed, failed, skipped].map((list, index) =>
    String(list.length).padStart([6, 8, 9][index]),
  );
  console.log(`${emulator.padEnd(10)} ${counts.join('')}`);
  for (const name of failed) failures.set(name, [...(failures.get(name) ?? []), emulator]);
}
for (const [name, emulators] of failures) console.log(`\n${name}\n  fails on ${emulators.join(', ')}`);
if (failures.size > 0) process.exitCode = 1;
