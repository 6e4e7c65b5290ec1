import { createRequire } from 'node:module';
import { join } from 'node:path';
import { projectRoot } from '../base/project.js';
import type { Command } from './command.js';

/** By its path: the demo is not in the service's bundle. Its DynamoDB has native code and finds files beside its own. */
const DEMO = join(projectRoot, 'dist', 'src', 'demo', 'load.cjs');

export const demo: Command = {
  name: 'demo',
  hasOwnHelp: true,
  summary: 'runs a simulated taxi fleet, a local DynamoDB, and the service that reads it; no AWS account',
  async run(argv) {
    const loadDemo = createRequire(import.meta.url)(DEMO) as typeof import('../demo/load.cjs');
    const { runDemo } = await loadDemo();
    return runDemo(argv, { command: 'npx dynamo-csv demo', dataDir: 'dynamo-csv-data/demo' });
  },
};
