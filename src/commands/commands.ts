import type { Command } from './command.js';
import { demo } from './demo.js';
import { dump } from './dump.js';

/** The subcommands, in the order of `--help`. Anything else on the command line starts the service. */
export const COMMANDS: readonly Command[] = [demo, dump];
