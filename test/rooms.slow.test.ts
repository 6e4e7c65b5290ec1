import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../src/base/project.js';

/** The one table of what each folder of `src` may import. */
const ROOMS = JSON.parse(readFileSync(join(projectRoot, 'src', 'rooms.json'), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;

/** The files and folders above the rooms, which no room may import. */
const ABOVE = ['app.js', 'bin.js', 'check.js', 'programs.js', 'serve.js', 'server.js', 'commands', 'service'];

/** A forbidden import can be written in each of these ways. */
const WAYS = [
  (to: string) => `import { a } from '../${to}/x.js'; export const b = a;`,
  (to: string) => `export type { C } from '../../${to}/deep/x.js';`,
  (to: string) => `export * from '../${to}/x.js';`,
  (to: string) => `export const d = await import('../${to}/x.js');`,
];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-rooms-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('the linter holds the import rule of the rooms, for every pair of them', async () => {
  for (const file of ['biome.json', 'biome.rooms.json'])
    await copyFile(join(projectRoot, file), join(folder, file));
  const expected = new Set<string>();
  for (const [from, allowed] of Object.entries(ROOMS)) {
    await mkdir(join(folder, 'src', from), { recursive: true });
    for (const to of [...Object.keys(ROOMS), ...ABOVE]) {
      if (to === from) continue;
      for (const [index, way] of WAYS.entries()) {
        const file = `src/${from}/imports-${to.replaceAll('/', '-')}-${index}.ts`;
        const source = to.endsWith('.js')
          ? way('').replace('//x.js', `/${to}`).replace('//deep/x.js', `/${to}`)
          : way(to);
        await writeFile(join(folder, file), `${source}\n`);
        if (!allowed.includes(to) && !to.startsWith(`${from}/`)) expected.add(file);
      }
    }
  }
  assert.deepEqual([...(await restricted(folder))].sort(), [...expected].sort());
});

test('the rules of the linter are those of the table', async () => {
  const before = await readFile(join(projectRoot, 'biome.rooms.json'), 'utf8');
  await promisify(execFile)(process.execPath, [join(projectRoot, 'scripts', 'room-rules.mjs')]);
  assert.equal(before, await readFile(join(projectRoot, 'biome.rooms.json'), 'utf8'), 'run npm run generate');
});

test('every room and every file above them is known to the rule', async () => {
  const entries = await readdir(join(projectRoot, 'src'), { withFileTypes: true });
  const known = ['rooms.json', ...Object.keys(ROOMS), ...ABOVE.map((file) => file.replace('.js', '.ts'))];
  assert.deepEqual(
    entries.map(({ name }) => name).filter((name) => !known.includes(name)),
    [],
  );
});

/** Files in which the linter finds an import that the rooms forbid. */
async function restricted(root: string): Promise<Set<string>> {
  const biome = join(projectRoot, 'node_modules', '.bin', 'biome');
  const args = [
    'lint',
    '--vcs-enabled=false',
    '--only=style/noRestrictedImports',
    '--reporter=json',
    '--max-diagnostics=none',
    'src',
  ];
  const { stdout } = await promisify(execFile)(biome, args, { cwd: root, maxBuffer: 64e6 }).catch(
    (error) => error,
  );
  const report = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] };
  const found = report.diagnostics.filter(({ category }) => category === 'lint/style/noRestrictedImports');
  return new Set(found.map(({ location }) => location.path));
}
