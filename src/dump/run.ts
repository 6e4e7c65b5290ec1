import { ConfigMistakes } from '../config/mistakes.js';
import { dump } from './dump.js';
import { readDumpOptions, USAGE } from './options.js';

/** The command `dynamo-csv dump`; `argv` are its arguments. Resolves to the exit code; `USAGE` lists them. */
export async function runDump(argv: readonly string[]): Promise<number> {
  try {
    const options = readDumpOptions(argv);
    if (options === null) {
      process.stdout.write(USAGE);
      return 0;
    }
    const stopping = new AbortController();
    const stop = () => stopping.abort(new Error('interrupted'));
    process.once('SIGINT', stop).once('SIGTERM', stop);
    return await dump(options, process, stopping.signal);
  } catch (error) {
    if (!(error instanceof ConfigMistakes)) throw error;
    for (const line of error.mistakes) console.error(line);
    return error.exitCode;
  }
}
