import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { end } from './child-process.js';
import { freePort } from './free-port.js';

/*
 * dynoxide: a DynamoDB with Streams in one binary, checked against AWS by its authors. It is built from crates.io:
 *   cargo install dynoxide-rs --no-default-features --features native-sqlite,http-server,cli
 */
const command = [
  ...(process.env.PATH ?? '').split(delimiter),
  join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin'),
]
  .map((folder) => join(folder, 'dynoxide'))
  .find((path) => existsSync(path));

/** Why tests that need dynoxide are skipped here; false where it is installed. */
export const withoutDynoxide: string | false =
  command === undefined &&
  'dynoxide is neither on the PATH nor in ~/.cargo/bin (test/support/dynoxide.ts shows how to install it)';

/** Starts dynoxide, in memory, on a free port. */
export async function startDynoxide(): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  if (command === undefined) throw new Error(withoutDynoxide || '');
  const port = await freePort();
  const child = spawn(command, ['serve', '--port', String(port), '--log', 'quiet'], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  await answers(endpoint, child);
  return { endpoint, close: () => end(child) };
}

/** It prints nothing when it listens, so it is asked until it answers. */
async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(endpoint, { method: 'POST' }).catch(() => null);
    if (answer !== null) return void (await answer.arrayBuffer());
    // It needs the processor itself.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${command} ended before it listened`);
}
