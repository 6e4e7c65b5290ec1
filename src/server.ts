/** `npm start`: the service on the configuration that `CONFIG` names, by default the fleet's. The package's command is `bin.ts`. */

import { COMMANDS } from './commands/commands.js';
import { asksForHelp, USAGE } from './config/arguments.js';
import { loadConfig } from './config/config.js';
import { checkOrServe, configOrExit } from './serve.js';

const [name, ...rest] = process.argv.slice(2);
const command = COMMANDS.find((one) => one.name === name);
if (command !== undefined) process.exit(await command.run(rest));

// Before the configuration is read: a mistake in it may be why somebody asks.
if (asksForHelp(process.argv.slice(2))) {
  process.stdout.write(USAGE);
  process.exit(0);
}

process.exitCode = await checkOrServe(await configOrExit(loadConfig));
