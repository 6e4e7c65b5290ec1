import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { projectRoot } from '../../src/base/project.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** What a COPY takes and where it goes; `from` is the stage, null: the repository as .dockerignore lets it through. */
interface Copy {
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

interface Stage {
  /** The stage or image it builds on. */
  readonly base: string;
  readonly copies: readonly Copy[];
  /** What a container of it runs: ENTRYPOINT, or CMD. */
  readonly command: readonly string[] | null;
}

/** What docker-compose.yml sets for the service. */
const compose = parse(await readFile(join(projectRoot, 'docker-compose.yml'), 'utf8')) as {
  readonly services: Readonly<Record<'dynamo-csv', { readonly environment: Record<string, string> }>>;
};
const dockerfile = await readFile(join(projectRoot, 'Dockerfile'), 'utf8');
const stages = new Map(
  dockerfile
    .replaceAll('\\\n', '')
    .split(/^(?=FROM )/m)
    .slice(1)
    .map((text) => {
      const [, base, name] = /^FROM (\S+) AS (\S+)/.exec(text)!;
      const copies = [...text.matchAll(/^COPY (?:--from=(\S+) )?(.+)$/gm)].map(([, from, paths]): Copy => {
        const words = paths!.split(/\s+/);
        return { from: from ?? null, sources: words.slice(0, -1), target: words.at(-1)! };
      });
      const command = /^(?:ENTRYPOINT|CMD) (\[.+\])$/m.exec(text)?.[1];
      return [
        name!,
        { base: base!, copies, command: command ? JSON.parse(command) : null } as Stage,
      ] as const;
    }),
);

const ignoreRules = (await readFile(join(projectRoot, '.dockerignore'), 'utf8'))
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const letThrough = ignoreRules.slice(1).map((rule) => rule.replace(/^!/, ''));

/** All that is copied into a stage's /app. */
function copiesInto(name: string): readonly Copy[] {
  const stage = stages.get(name);
  return stage === undefined ? [] : [...copiesInto(stage.base), ...stage.copies];
}

/** Fills a folder with what a stage's COPY lines bring, as a build does; packages are those of this repository. */
async function fill(folder: string, stage: string, built: string | null): Promise<void> {
  for (const { from, sources, target } of copiesInto(stage)) {
    for (const source of sources) {
      const isFolder = target.endsWith('/');
      const to = join(folder, target, isFolder ? source.split('/').at(-1)! : '');
      if (source.endsWith('/node_modules')) await symlink(join(projectRoot, 'node_modules'), to);
      else if (from !== null) await cp(join(built!, source.replace(/^\/app\//, '')), to, { recursive: true });
      else {
        const isLetThrough = letThrough.some((path) => source === path || source.startsWith(`${path}/`));
        assert.ok(isLetThrough, `.dockerignore keeps ${source} out of the build`);
        await cp(join(projectRoot, source), to, { recursive: true });
      }
    }
  }
}

/** What the stage `build` makes of the files that reach it. */
async function buildImage(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await fill(folder, 'build', null);
  await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  await promisify(execFile)('npm', ['run', 'build'], { cwd: folder });
  return folder;
}

test('nothing reaches a build but what .dockerignore names: no data, no secrets', async () => {
  assert.equal(ignoreRules[0], '*');
  for (const rule of ignoreRules.slice(1)) assert.match(rule, /^![\w-]/);
  const { stdout } = await promisify(execFile)('git', ['ls-files', '--', ...letThrough], {
    cwd: projectRoot,
  });
  for (const path of letThrough) assert.ok(stdout.includes(path), `${path} is not a part of the project`);
});

test('both images build from the build context, are complete, and the service runs and serves its page', async (t) => {
  const built = await buildImage(t);
  for (const stage of ['service', 'demo']) {
    const copied = copiesInto(stage).flatMap(({ sources }) => sources);
    for (const made of await readdir(join(built, 'dist'))) {
      assert.ok(copied.includes(`/app/dist/${made}`), `dist/${made} is not in the image ${stage}`);
    }
  }
  const image = await temporaryFolder(t);
  await fill(image, 'service', built);
  const [node, ...args] = stages.get('service')!.command!;
  assert.equal(node, 'node');
  const service = spawn(process.execPath, args, {
    cwd: image,
    env: {
      PATH: process.env.PATH,
      CONFIG: compose.services['dynamo-csv'].environment.CONFIG,
      DATA_DIR: await temporaryFolder(t),
      PORT: '0',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(service, 'exit');
  t.after(() => service.kill('SIGKILL'));
  const url = await listening(createInterface(service.stdout));
  assert.match(await (await fetch(url)).text(), /<!doctype html>/i);
  assert.match(await (await fetch(`${url}/csv/zones`)).text(), /Manhattan/);
  service.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
});

/** The address in the log line that says so. */
async function listening(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const { url, msg } = JSON.parse(line) as { readonly url?: string; readonly msg: string };
    if (msg === 'listening') return url!;
  }
  throw new Error('the service ended before it listened');
}
