#!/usr/bin/env node
/** The command `dynamo-csv`. */

import { main } from './commands/main.js';

process.exitCode = await main(process.argv.slice(2));
