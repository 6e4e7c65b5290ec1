import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../base/project.js';
import type { Command } from './command.js';

/** By its path: the demo is not in the service's bundle. Its DynamoDB has native code and finds files beside its own. */
const DEMO = join(projectRoot, 'dist', 'src', 'demo', 'run.js');

export const demo: Command = {
  name: 'demo',
  summary: 'runs a simulated taxi fleet, a local DynamoDB, and the service that reads it; no AWS account',
  async run(argv) {
    const { runDemo } = (await import(pathToFileURL(DEMO).href)) as typeof import('../demo/run.js');
    return runDemo(argv, { command: 'npx dynamo-csv demo', dataDir: 'dynamo-csv-data/demo' });
  },
};
