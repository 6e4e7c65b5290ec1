import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { nodeFlags, projectRoot } from '../../src/base/project.js';

const BUNDLE = join(projectRoot, 'dist', 'src', 'bundled', 'service.cjs');
const LOADER = join(projectRoot, 'scripts', 'load-bundle.mjs');
const WARM = join(projectRoot, 'scripts', 'warm-bundle.mjs');

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
