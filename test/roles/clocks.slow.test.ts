import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../src/base/project.js';
import { get, until } from '../app/world.js';
import { useS3 } from '../support/s3-servers.js';
import type { RunningService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { hasRole, health, type Pair, pair, pollsIn } from './world.js';

/** Services whose clocks differ by hours: processes, of which one has another time, real files, moto's S3. */

const s3 = useS3();

const HOUR = 3_600_000;
const module = pathToFileURL(join(projectRoot, 'dist', 'test', 'support', 'shifted-clock.js')).href;
const OPTIONS = 'log: true, changes: true, interval: 1s';
/** Polls, one a second, in which a follower that takes the collector for gone would have taken over twice. */
const MANY = 30;

type Start = (env?: Readonly<Record<string, string>>) => Promise<RunningService>;
interface Place {
  readonly name: string;
  readonly skip: string | false;
  open(t: TestContext): Promise<Omit<Pair, 'start'> & { readonly start: Start }>;
}

const places: readonly Place[] = [
  { name: 'a shared folder', skip: false, open: (t) => pair(t, OPTIONS) },
  {
    name: 'an archive',
    skip: s3.skip,
    open: async (t) => {
      const archive = `archive: { bucket: ${await s3.newBucket()}, prefix: fleet/, every: 500ms }`;
      const services = await pair(t, OPTIONS, archive);
      const start: Start = async (env = {}) =>
        services.start({ AWS_ENDPOINT_URL_S3: s3.endpoint, ...env }, join(await temporaryFolder(t), 'data'));
      return { ...services, start };
    },
  },
];

const tookOver = ({ lines }: RunningService) => lines.filter(({ msg }) => msg.startsWith('taking over'));

for (const { name, skip, open } of places) {
  for (const hours of [5, -5]) {
    test(`${name}, and the clock of the second service is ${Math.abs(hours)} hours ${hours > 0 ? 'ahead' : 'behind'}`, {
      skip,
    }, async (t) => {
      const { table, put, start } = await open(t);
      const changes = `/csv/${table}-changes`;
      const inserted = async (one: RunningService, id: number) =>
        (await until(await one.url, changes, ({ text }) => text.includes(`insert,${id}`))).text;
      await put(1, { state: 'free' });
      const first = await start();
      await inserted(first, 1);
      const shifted = { NODE_OPTIONS: `--import=${module}`, CLOCK_SHIFT: String(hours * HOUR) };
      const second = await start(shifted);
      await hasRole(second, 'follow');
      await inserted(second, 1);
      await put(2, { state: 'free' });
      await inserted(second, 2);
      const url = await first.url;
      const seen = pollsIn((await get(url, `/csv/${table}`)).text).size;
      await until(url, `/csv/${table}`, ({ text }) => pollsIn(text).size >= seen + MANY);
      assert.deepEqual([(await health(first)).role, (await health(second)).role], ['collect', 'follow']);
      assert.deepEqual(tookOver(second), []);

      const log = (await get(await second.url, `/csv/${table}`)).text;
      await first.end('SIGKILL');
      await hasRole(second, 'collect');
      await put(3, { state: 'free' });
      const after = await inserted(second, 3);
      assert.deepEqual(after.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3']);
      const { text } = await until(await second.url, `/csv/${table}`, ({ text }) =>
        text.includes('\n3,free'),
      );
      assert.ok(text.startsWith(log), 'what was there is there');
      for (const [time, rows] of pollsIn(text)) assert.ok(rows <= 3, `${time}: ${rows}`);

      // And back, to one whose clock is that of the first again.
      const third = await start();
      await hasRole(third, 'follow');
      await inserted(third, 3);
      const before = (await get(await third.url, `/csv/${table}`)).text;
      await second.end('SIGKILL');
      await hasRole(third, 'collect');
      await put(4, { state: 'free' });
      const last = await inserted(third, 4);
      assert.deepEqual(last.match(/^insert,\d/gm), ['insert,1', 'insert,2', 'insert,3', 'insert,4']);
      const whole = await until(await third.url, `/csv/${table}`, ({ text }) => text.includes('\n4,free'));
      assert.ok(whole.text.startsWith(before), 'what was there is there');
      for (const [time, rows] of pollsIn(whole.text)) assert.ok(rows <= 4, `${time}: ${rows}`);
      for (const one of [second, third])
        assert.deepEqual(
          one.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg),
          [],
        );
    });
  }
}
