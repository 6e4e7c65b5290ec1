import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { nodeFlags, projectRoot } from '../../src/base/project.js';

const BUNDLE = join(projectRoot, 'dist', 'src', 'bundled', 'service.cjs');
const LOADER = join(projectRoot, 'scripts', 'load-bundle.mjs');
const WARM = join(projectRoot, 'scripts', 'warm-bundle.mjs');
const SOURCES = join(projectRoot, 'dist', 'src');
const THREADS = ['sources/dynamodb/thread.js', 'dump/thread.js'];

/** What a program that imports the loader prints, run with these flags. */
async function printed(flags: readonly string[], program: string): Promise<string> {
  const text = `import * as loader from ${JSON.stringify(LOADER)};
    import { readFileSync } from 'node:fs';
    const file = ${JSON.stringify(BUNDLE)};
    ${program}`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    '--input-type=module',
    '--eval',
    text,
  ]);
  return stdout;
}

for (const [what, flags] of [
  ['npm start', nodeFlags],
  ['the image', [...nodeFlags, '--enable-source-maps']],
] as const) {
  test(`with the flags of ${what}, V8 takes what the build compiled`, async () => {
    const rejected = await printed(
      flags,
      'console.log(loader.compile(file, readFileSync(loader.cacheOf(file))).cachedDataRejected);',
    );
    assert.equal(rejected, 'false\n');
  });
}

for (const [what, flags] of [
  ['what the build compiled', nodeFlags],
  ['other flags', ['--stack-size=900']],
] as const) {
  test(`a stack trace names the sources, with ${what}`, async () => {
    const trace = await printed(
      ['--enable-source-maps', ...flags],
      `await loader.loadBundle(file).command(1).catch(({ stack }) => console.log(stack));`,
    );
    assert.match(trace, /^TypeError: .*iterable/);
    assert.match(
      trace,
      new RegExp(`\\(${join(projectRoot, 'src', 'commands', 'arguments.ts')}:\\d+:\\d+\\)`),
    );
    assert.match(trace, new RegExp(`\\(${join(projectRoot, 'src', 'commands', 'main.ts')}:\\d+:\\d+\\)`));
  });
}

test('a build does not depend on what the service would read from its environment', async (t) => {
  // Beside the bundle, which finds its packages from there.
  const folder = await mkdtemp(join(dirname(BUNDLE), 'test-'));
  t.after(() => rm(folder, { recursive: true }));
  const bundle = join(folder, 'service.cjs');
  await copyFile(BUNDLE, bundle);
  const env = {
    ...process.env,
    AWS_PROFILE: 'nobody',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    HTTP_PROXY: 'http://127.0.0.1:9',
    all_proxy: 'http://127.0.0.1:9',
    API_TOKEN: 'secret',
    POLL_INTERVAL: 'never',
  };
  await promisify(execFile)(process.execPath, [...nodeFlags, WARM, bundle], { env });
  assert.equal((await readdir(folder)).filter((name) => name.endsWith('.cache')).length, 1);
});

/** What a thread that loads a file compiled as a script, and whether V8 took its cache. */
interface Loaded {
  readonly exports: readonly string[];
  readonly scripts: readonly { readonly file: string; readonly rejected?: boolean }[];
}

/** Loads a file in a thread of a process with these flags. */
async function loadedInThread(flags: readonly string[], file: string): Promise<Loaded> {
  const thread = `
    const { syncBuiltinESMExports } = require('node:module');
    const vm = require('node:vm');
    const { Script } = vm;
    const scripts = [];
    vm.Script = class extends Script {
      constructor(text, options) {
        super(text, options);
        scripts.push({ file: options.filename, rejected: this.cachedDataRejected });
      }
    };
    syncBuiltinESMExports();
    import(${JSON.stringify(file)}).then((loaded) => {
      require('node:worker_threads').parentPort.postMessage({ exports: Object.keys(loaded).sort(), scripts });
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    '--eval',
    `const { Worker } = require('node:worker_threads');
    new Worker(${JSON.stringify(thread)}, { eval: true }).once('message', (loaded) =>
      console.log(JSON.stringify(loaded)));`,
  ]);
  return JSON.parse(stdout) as Loaded;
}

const BUNDLE_OF_THREADS = join(SOURCES, 'bundled', 'threads.cjs');
const READS = ['merge', 'read'];

for (const [what, flags] of [
  ['npm start', nodeFlags],
  ['the image', [...nodeFlags, '--enable-source-maps']],
  ['a command without flags', []],
] as const) {
  test(`with the flags of ${what}, a thread takes what the build compiled`, async () => {
    for (const file of THREADS) {
      const { scripts } = await loadedInThread(flags, join(SOURCES, file));
      assert.deepEqual(scripts, [{ file: BUNDLE_OF_THREADS, rejected: false }], file);
    }
  });
}

test('with other flags, a thread has Node compile the bundle', async () => {
  const { exports, scripts } = await loadedInThread(['--stack-size=900'], join(SOURCES, THREADS[0]!));
  assert.deepEqual({ exports, scripts }, { exports: READS, scripts: [] });
});

/** The files of threads as in a package, whose caches hold `bytes` of what the build compiled. */
async function packaged(t: TestContext, bytes: number): Promise<string> {
  // Within the build, so that packages are found.
  const folder = await mkdtemp(join(dirname(BUNDLE), 'test-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const file of THREADS) await cp(join(SOURCES, file), join(folder, file));
  const caches = (await readdir(dirname(BUNDLE))).filter((name) => /^threads-\d+\.cache$/.test(name));
  assert.equal(caches.length, 2);
  await cp(BUNDLE_OF_THREADS, join(folder, 'bundled', 'threads.cjs'));
  for (const name of bytes === 0 ? [] : caches) {
    const content = await readFile(join(dirname(BUNDLE), name));
    await writeFile(join(folder, 'bundled', name), content.subarray(0, bytes));
  }
  return folder;
}

test('without what the build compiled, as in the package of npm, a thread loads the same', async (t) => {
  const folder = await packaged(t, 0);
  const { exports, scripts } = await loadedInThread(nodeFlags, join(folder, THREADS[0]!));
  assert.deepEqual({ exports, scripts }, { exports: READS, scripts: [] });
});

test('with a cache that V8 rejects, a thread compiles the bundle', async (t) => {
  const folder = await packaged(t, 10_000);
  const { exports, scripts } = await loadedInThread(nodeFlags, join(folder, THREADS[0]!));
  const file = join(folder, 'bundled', 'threads.cjs');
  assert.deepEqual({ exports, scripts }, { exports: READS, scripts: [{ file, rejected: true }] });
});
