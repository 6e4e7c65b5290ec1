import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../src/base/project.js';

/** The rooms of docs/architecture.md and what each may import. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  config: ['base'],
  csv: ['base'],
  dynamodb: ['base', 'csv'],
  'api-server': ['base', 'csv'],
  datasets: ['base', 'csv'],
  collect: ['base', 'csv', 'datasets'],
  http: ['base', 'config', 'datasets'],
  web: ['http'],
  demo: ['base', 'config', 'csv', 'datasets'],
};

/** The files above the rooms, which no room may import. */
const ABOVE = ['app.js', 'server.js', 'sources.js', 'check.js'];

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
  await copyFile(join(projectRoot, 'biome.json'), join(folder, 'biome.json'));
  const expected = new Set<string>();
  for (const [from, allowed] of Object.entries(ROOMS)) {
    await mkdir(join(folder, 'src', from), { recursive: true });
    for (const to of [...Object.keys(ROOMS), ...ABOVE]) {
      if (to === from) continue;
      for (const [index, way] of WAYS.entries()) {
        const file = `src/${from}/imports-${to}-${index}.ts`;
        const source = to.endsWith('.js')
          ? way('').replace('//x.js', `/${to}`).replace('//deep/x.js', `/${to}`)
          : way(to);
        await writeFile(join(folder, file), `${source}\n`);
        if (!allowed.includes(to)) expected.add(file);
      }
    }
  }
  assert.deepEqual([...(await restricted(folder))].sort(), [...expected].sort());
});

test('every room and every file above them is known to the rule', async () => {
  const entries = await readdir(join(projectRoot, 'src'), { withFileTypes: true });
  const known = [...Object.keys(ROOMS), ...ABOVE.map((file) => file.replace('.js', '.ts'))];
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
