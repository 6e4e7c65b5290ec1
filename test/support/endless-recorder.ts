/**
 * A process that records polls until it is killed: `endless-recorder.js <folder> <what is kept>`. It begins when its
 * parent sends the number of the first poll, and tells it `{ opens: true }` before it opens the folder, `{ begins: n }`
 * before it records poll n, and `{ confirmed: n }` after it.
 */
import { once } from 'node:events';
import { openVolume } from '../../src/volume/volume.js';
import { itemsOfPoll, openTable, timeOfPoll } from './endless-table.js';
import { readingOf } from './true-polls.js';

const [dataDir = '', kept = ''] = process.argv.slice(2);

function tell(message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

const [first] = (await once(process, 'message')) as [number];
const since = new Date().toISOString();
await openVolume(dataDir, { host: 'test', pid: process.pid, since });
await tell({ opens: true });
const { recorder, seal } = await openTable(dataDir, kept, first);
for (let number = first; ; number++) {
  await tell({ begins: number });
  const { problems } = await recorder.record(readingOf(itemsOfPoll(number)), timeOfPoll(number));
  if (problems[0] !== undefined) throw problems[0];
  await tell({ confirmed: number });
  if (number % 4 === 3) await seal(number);
}
