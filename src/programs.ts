/** The two programs, as the build bundles them (`scripts/bundle-service.mjs`): `server.ts` and `bin.ts` start them. */

import { COMMANDS, runCommand } from './commands/commands.js';
import { asksForHelp, USAGE } from './config/arguments.js';

/** `npm start`. Resolves to the exit code; to 0 when the service listens, which ends on a signal. */
export async function server([name, ...rest]: readonly string[]): Promise<number> {
  const subcommand = COMMANDS.find((one) => one.name === name);
  if (subcommand !== undefined) process.exit(await runCommand(subcommand, rest));
  // Before the configuration is read: a mistake in it may be why somebody asks.
  if (asksForHelp([name ?? '', ...rest])) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const { loadConfig } = await import('./config/config.js');
  const { checkOrServe, configOrExit } = await import('./serve.js');
  return checkOrServe(await configOrExit(loadConfig));
}

/** The command `dynamo-csv`. Resolves like `server`. */
export async function command(argv: readonly string[]): Promise<number> {
  const { main } = await import('./commands/main.js');
  return main(argv);
}
