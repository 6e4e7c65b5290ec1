/** A process that holds a volume until it is killed: `node lock-holder.js <dir>`. Prints a line once it has it. */
import { acquireVolumeLock, thisProcess } from '../../src/volume/lock.js';

await acquireVolumeLock(process.argv[2]!, thisProcess('2025-11-24T08:00:00.000Z'));
console.log('held');
setInterval(() => undefined, 60_000);
