/**
 * `npm run test:fast`: the tests that need no browser, no Grafana, no Docker and no demo, and are not long. Files of one
 * folder run in one process, because most of a short test is loading what it tests; the folders run side by side, more of
 * them than there are processors, because tests also wait.
 * Arguments are passed on to `node --test`, for example `--test-name-pattern=seal`.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tests = fileURLToPath(new URL('../dist/test/', import.meta.url));
const groupsFolder = join(tests, 'fast');
const LEFT_OUT = /^(demo|docker|grafana|web)\//;
/** Tests of what a process reads only once, its credentials. */
const ALONE = new Set(['sources/aws/credentials.test.js']);
/** The longest first, so that none of them is the last to begin. */
const LONGEST = ['sources/aws', 'sources/dynamodb', 'http', 'windows', 'sql', 'recorder'];

/** Folder to files, relative to `dist/test`. */
function inGroups(files) {
  const groups = new Map();
  for (const file of files) {
    const folders = file.split('/').slice(0, -1);
    const group = ALONE.has(file) ? file : folders.slice(0, folders[0] === 'sources' ? 3 : 1).join('/');
    groups.set(group, [...(groups.get(group) ?? []), file]);
  }
  return groups;
}

function position(group) {
  const index = LONGEST.indexOf(group);
  return index < 0 ? LONGEST.length : index;
}

/** Parts of at most so many files, so that none keeps one processor busy when the others are done. */
const MOST_FILES = 8;

function inParts([group, files]) {
  const parts = [];
  for (let from = 0; from < files.length; from += MOST_FILES)
    parts.push([`${group || 'rest'}-${parts.length + 1}`, files.slice(from, from + MOST_FILES)]);
  return parts;
}

async function writePart([name, files]) {
  const path = join(groupsFolder, `${name.replaceAll('/', '-')}.js`);
  await writeFile(path, files.map((file) => `await import('../${file}');\n`).join(''));
  return path;
}

await rm(groupsFolder, { recursive: true, force: true });
await mkdir(groupsFolder, { recursive: true });
const files = (await readdir(tests, { recursive: true }))
  .filter((file) => file.endsWith('.test.js') && !file.endsWith('.slow.test.js') && !LEFT_OUT.test(file))
  .sort();
const groups = [...inGroups(files)].sort(([a], [b]) => position(a) - position(b));
const paths = await Promise.all(groups.flatMap(inParts).map(writePart));
const options = ['--test', '--test-timeout=600000', `--test-concurrency=${2 * availableParallelism()}`];
const { status } = spawnSync(process.execPath, [...options, ...process.argv.slice(2), ...paths], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
