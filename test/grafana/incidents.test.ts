import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_SERVER } from '../../src/demo/api-server.js';
import { INCIDENTS, type Incident } from '../../src/demo/incidents.js';
import { Alerting } from './evaluation.js';
import { flavourNames } from './provisioning.js';
import { type Demo, startDemo } from './world.js';

/** At noon of the fleet, with no taxi unassigned by chance for the next half hour. */
const NOW = '2026-02-03T17:06:20Z';

const ofServer = (rule: string) => `${rule}: instance_id=${API_SERVER.id}, name=${API_SERVER.name}`;

/** What fires in each incident. */
const firingIn: Readonly<Record<Incident, readonly string[]>> = {
  cpu: [ofServer('api-server-cpu')],
  network: [ofServer('api-server-network-in'), ofServer('api-server-network-out')],
  down: [ofServer('api-server-not-running')],
  unassigned: ['unassigned-taxis'],
};

/** Grafana with each plugin. They must tell the same. */
class Grafanas {
  readonly #each = flavourNames.map((flavour) => new Alerting(flavour));
  readonly #demo: Demo;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  /** Lets so many minutes pass with Grafana's evaluations in them. Returns what fired after each. */
  async watch(minutes: number): Promise<(readonly string[])[]> {
    const seen: (readonly string[])[] = [];
    const [csv, infinity] = this.#each as [Alerting, Alerting];
    for (let passed = 0; passed < minutes * 60_000; passed += csv.interval) {
      await this.#demo.pass(csv.interval / 1_000);
      const now = this.#demo.clock.now();
      for (const alerting of this.#each) await alerting.evaluate(this.#demo.environment, now);
      assert.deepEqual(csv.firing, infinity.firing, new Date(now).toISOString());
      seen.push(csv.firing);
    }
    return seen;
  }
}

test("the alerts and the demo's incidents", async (t) => {
  // The past is made once; every demo below begins where it ends.
  const { dataDir: past, ...first } = await startDemo(t, { now: NOW });
  await first.stopService();
  await first.stopAws();

  for (const incident of INCIDENTS) {
    await t.test(
      `--incident ${incident} makes its alerts fire within three minutes, and no other`,
      async (t) => {
        const demo = await startDemo(t, { now: NOW, past, incident });
        const seen = await new Grafanas(demo).watch(3);
        assert.deepEqual(seen.at(-1), firingIn[incident]);
        assert.deepEqual(new Set(seen.flat()), new Set(firingIn[incident]));
      },
    );
  }

  await t.test(
    'without one, every incident fires an alert within ten minutes, and resolves by itself',
    async (t) => {
      const demo = await startDemo(t, { now: NOW, past });
      const grafanas = new Grafanas(demo);
      const seen = await grafanas.watch(10);
      assert.deepEqual(new Set(seen.flat()), new Set(Object.values(firingIn).flat()));
      assert.deepEqual((await grafanas.watch(2)).at(-1), []);
    },
  );

  await t.test(
    'when the service is gone that fires, and what fired before goes on, neither more nor less',
    async (t) => {
      const demo = await startDemo(t, { now: NOW, past, incident: 'cpu' });
      const grafanas = new Grafanas(demo);
      assert.deepEqual((await grafanas.watch(2)).at(-1), firingIn.cpu);
      await demo.stopService();
      for (const seen of await grafanas.watch(2)) assert.deepEqual(seen, firingIn.cpu);
      for (const seen of await grafanas.watch(1)) assert.deepEqual(seen, [...firingIn.cpu, 'service-silent']);
      await demo.startService();
      for (const seen of await grafanas.watch(0.5)) assert.deepEqual(seen, firingIn.cpu);
    },
  );

  await t.test(
    'when the sources do not answer, the age of each dataset fires and nothing else',
    async (t) => {
      const demo = await startDemo(t, { now: NOW, past, incident: 'network' });
      const grafanas = new Grafanas(demo);
      const before = (await grafanas.watch(3)).at(-1)!;
      assert.deepEqual(before, firingIn.network);
      await demo.stopAws();
      const seen = await grafanas.watch(6);
      const [, , , soon] = seen;
      assert.deepEqual(soon, before, 'not before three intervals');
      const datasets = [
        'api-server',
        'api-server-log',
        'flag-dynamodb',
        'flag-dynamodb-changes',
        'pickup-zone-dynamodb',
        'pickup-zone-dynamodb-changes',
        'taxi-destination-dynamodb',
        'taxi-destination-dynamodb-changes',
        'zone-count-dynamodb',
      ];
      assert.deepEqual(seen.at(-1), [...before, ...datasets.map((name) => `stale-data: dataset=${name}`)]);
    },
  );
});
