import { asksForHelp } from '../config/arguments.js';
import type { Command } from './command.js';
import { ddl } from './ddl.js';
import { demo } from './demo.js';
import { dump } from './dump.js';
import { restore } from './restore.js';
import { verify } from './verify.js';

/** The subcommands, in the order of `--help`. Anything else on the command line starts the service. */
export const COMMANDS: readonly Command[] = [ddl, demo, dump, restore, verify];

/** Runs a subcommand with the arguments behind its name, or says what it does. Resolves to the exit code. */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  if (command.hasOwnHelp !== true && asksForHelp(argv)) {
    process.stdout.write(`dynamo-csv ${command.name}: ${command.summary}\n`);
    return 0;
  }
  return command.run(argv);
}
