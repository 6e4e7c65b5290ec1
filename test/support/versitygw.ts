import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TEST_AWS } from './aws.js';
import { end } from './child-process.js';
import { freePort } from './free-port.js';

/*
 * versitygw: an S3 server on a folder, in one binary, whose conditional writes are atomic. It is built from Go's modules:
 *   go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
 */
const command = [
  ...(process.env.PATH ?? '').split(delimiter),
  process.env.GOBIN ?? join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'),
]
  .map((folder) => join(folder, 'versitygw'))
  .find((path) => existsSync(path));

/** Why tests that need versitygw are skipped here; false where it is installed. */
export const withoutVersitygw: string | false =
  command === undefined &&
  'versitygw is neither on the PATH nor in ~/go/bin (test/support/versitygw.ts shows how to install it)';

/** Starts versitygw on an empty folder and a free port, with the test's credentials. */
export async function startVersitygw(): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  if (command === undefined) throw new Error(withoutVersitygw || '');
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-versitygw-'));
  const port = await freePort();
  const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION: region } = TEST_AWS;
  const options = ['--access', access, '--secret', secret, '--region', region, '--quiet'];
  // Metadata beside the objects: not every file system has extended attributes.
  const [metadata, objects] = [join(folder, 'metadata'), join(folder, 'objects')];
  for (const one of [metadata, objects]) await mkdir(one);
  const posix = ['posix', '--sidecar', metadata, objects];
  const child = spawn(command, [...options, '--port', `127.0.0.1:${port}`, ...posix], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(endpoint, child);
  return {
    endpoint,
    async close() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** It prints nothing that tells when it listens, so it is asked until it answers. */
async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(endpoint).catch(() => null);
    if (answer !== null) return void (await answer.arrayBuffer());
    // It needs the processor itself.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${command} ended before it listened`);
}
