/** `npm run demo`, and what the demo's image runs. */

import { runDemo } from './run.js';

process.exit(await runDemo(process.argv.slice(2), { command: 'npm run demo --', dataDir: 'data/demo' }));
