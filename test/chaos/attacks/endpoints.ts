import assert from 'node:assert/strict';
import type { Arena, Attack } from '../attack.js';
import { type Answer, ENDLESS, honestly, WRONG } from '../endpoint.js';
import { errorOf, NEIGHBOUR, neighbourIsPolled, PATIENCE, prepare, Watch, within } from '../ground.js';

/** How soon an endless answer must be an error, in milliseconds: within 30 s, and some more on a busy machine. */
const DEADLINE = 45_000;
const CONFIG = `tables:\n  ${NEIGHBOUR}\n  victim: { interval: 200ms, maxPollMegabytes: 64 }\n`;

/** One table of the endpoint misbehaves: its error has a name, nobody else notices, and it recovers. */
async function misbehave(arena: Arena, answer: Answer, deadline: number) {
  const ground = await prepare(arena);
  const victim = ground.database.table('victim', (scan) => [{ id: { N: '1' }, scan: { N: String(scan) } }]);
  const service = await ground.start({ config: CONFIG });
  const url = await service.url;
  const rows = async () => (await fetch(`${url}/csv/victim`)).text();
  await within(PATIENCE, 'the first poll', async () => (await rows()).startsWith('id,scan\n1,'));
  const watch = new Watch(url, service.process.pid!);
  victim.answer = answer;
  const took = await within(
    deadline,
    'an error of the table',
    async () => (await errorOf(url, 'victim')) !== null,
  );
  const message = await errorOf(url, 'victim');
  assert.match(await rows(), /^id,scan\n1,\d+\n$/, 'the last good rows are served');
  await neighbourIsPolled(url, ground.neighbour);
  victim.answer = honestly;
  // After a failure the next poll may wait for two minutes (docs/architecture.md); the first failures wait less.
  await within(deadline, 'a poll after the end of it', async () => (await errorOf(url, 'victim')) === null);
  const seen = await watch.stop();
  assert.deepEqual(await service.end(), { code: 0, signal: null });
  return {
    'error after': `${(took / 1_000).toFixed(1)} s`,
    error: JSON.stringify(message?.slice(0, 90)),
    ...seen,
  };
}

const attacksOf = (answers: Readonly<Record<string, Answer>>, group: string, deadline: number) =>
  Object.entries(answers).map(
    ([how, answer]): Attack => ({
      name: `an endpoint that ${how}`,
      group,
      run: (arena) => misbehave(arena, answer, deadline),
    }),
  );

export const endpointAttacks: readonly Attack[] = [
  ...attacksOf(ENDLESS, 'endless', DEADLINE),
  ...attacksOf(WRONG, 'wrong', PATIENCE),
  {
    name: 'an endpoint that sends a page of 100 MB',
    isLong: true,
    run: (arena) =>
      misbehave(
        arena,
        (response) => {
          response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
          response.write('{"Items":[{"id":{"N":"1"}}');
          const item = `,{"id":{"N":"2"},"filler":{"S":"${'x'.repeat(1_000_000)}"}}`;
          for (let written = 0; written < 100; written++) response.write(item);
          response.end('],"Count":101}');
        },
        DEADLINE,
      ),
  },
];
