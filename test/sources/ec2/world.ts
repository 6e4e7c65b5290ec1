import type { Clock } from '../../../src/base/clock.js';
import type { Datapoint, StandInInstance, StandInWorld } from '../../../src/demo/aws-world.js';

/** Noon, UTC: periods begin on the minute. */
export const NOON = Date.parse('2026-02-03T12:00:00Z');
export const MINUTE = 60_000;

/** A clock that stands still until it is set. */
export class TestClock implements Clock {
  time = NOON;
  now(): number {
    return this.time;
  }
  sleep(): Promise<void> {
    return Promise.reject(new Error('nothing should wait here'));
  }
}

/** An instance that runs, with detailed monitoring. */
export function instance(id: string, more: Partial<StandInInstance> = {}): StandInInstance {
  return {
    id,
    tags: { Name: `server ${id}`, Role: 'dispatch' },
    state: 'running',
    monitoring: 'enabled',
    checks: { system: 'ok', instance: 'ok' },
    ...more,
  };
}

/** A world that tests fill: instances by region, datapoints by instance and metric. */
export class TestWorld implements StandInWorld {
  readonly regions = new Map<string, StandInInstance[]>();
  readonly #points = new Map<string, Datapoint[]>();
  /** `instance metric stat period`, for each metric asked for. */
  readonly asked: string[] = [];

  constructor(regions: Readonly<Record<string, StandInInstance[]>>) {
    for (const [region, instances] of Object.entries(regions)) this.regions.set(region, instances);
  }

  /** CloudWatch has a value for the period that began so many minutes before noon. */
  measure(
    id: string,
    metric: 'CPUUtilization' | 'NetworkIn' | 'NetworkOut',
    minutesAgo: number,
    value: number,
  ): this {
    const key = `${id} ${metric}`;
    this.#points.set(key, [
      ...(this.#points.get(key) ?? []),
      { timestamp: NOON - minutesAgo * MINUTE, value },
    ]);
    return this;
  }

  instances(region: string): readonly StandInInstance[] {
    return this.regions.get(region) ?? [];
  }

  datapoints(
    metric: { instanceId: string; name: string; stat: string; period: number },
    { from, to }: { from: number; to: number },
  ): readonly Datapoint[] {
    this.asked.push(`${metric.instanceId} ${metric.name} ${metric.stat} ${metric.period / 1_000}s`);
    const points = this.#points.get(`${metric.instanceId} ${metric.name}`) ?? [];
    return points.filter(({ timestamp }) => timestamp >= from && timestamp < to);
  }
}
