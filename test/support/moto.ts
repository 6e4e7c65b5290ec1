import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { end } from './child-process.js';

/*
 * moto's server: AWS's wire formats, written by others in Python.
 *   python3 -m venv .moto && .moto/bin/pip install 'moto[athena,dynamodb,ec2,cloudwatch,glue,s3,server]'
 *   PATH=$PWD/.moto/bin:$PATH npm test
 */
const command = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'moto_server'))
  .find((path) => existsSync(path));

/** Why tests that need moto are skipped here; false where it is installed. */
export const withoutMoto: string | false =
  command === undefined && 'moto_server is not on the PATH (test/support/moto.ts shows how to install it)';

export interface Moto {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts moto's server on a free port. */
export async function startMoto(): Promise<Moto> {
  if (command === undefined) throw new Error(withoutMoto || '');
  const child = spawn(command, ['-H', '127.0.0.1', '-p', '0'], {
    env: { ...process.env, MOTO_ALLOW_NONEXISTENT_REGION: 'true' }, // eu-test-1
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface(child.stderr)) {
    const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (endpoint === undefined) continue;
    child.stderr.resume();
    return { endpoint, close: () => end(child) };
  }
  throw new Error(`${command} ended before it listened`);
}
