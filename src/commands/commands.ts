import type { Command } from './command.js';
import { ddl } from './ddl.js';
import { demo } from './demo.js';
import { dump } from './dump.js';
import { restore } from './restore.js';
import { verify } from './verify.js';

/** The subcommands, in the order of `--help`. Anything else on the command line starts the service. */
export const COMMANDS: readonly Command[] = [ddl, demo, dump, restore, verify];
