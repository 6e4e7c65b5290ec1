import type { Command } from './command.js';

export const demo: Command = {
  name: 'demo',
  summary: 'runs a simulated taxi fleet, a local DynamoDB, and the service that polls it; no AWS account',
  async run(argv) {
    const { runDemo } = await import('../demo/run.js');
    return runDemo(argv, { command: 'npx dynamo-csv demo', dataDir: 'dynamo-csv-data/demo' });
  },
};
