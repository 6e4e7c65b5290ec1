import type { Datapoint, StandInInstance, StandInWorld } from './aws-world.js';
import { type City, CityDay } from './city.js';
import type { IncidentPlan } from './incidents.js';
import { chance } from './random.js';
import type { Item } from './tables.js';

/** The dispatch API server as the demo's EC2 and CloudWatch report it. */
export const API_SERVER = { id: 'i-0d15a7c4a91e0f00d', name: 'dispatch-api' } as const;

const MINUTE = 60_000;
/** CloudWatch's delay: a minute's value becomes available this long after the minute ends. */
const DELAY = 25_000;
/** How long it takes to stop and to start. */
const STOPPING = 20_000;
const BOOTING = 90_000;

/**
 * The server behind the fleet: idle at night, busy by day; overloaded, disconnected or stopped when the incident plan
 * says so. A pure function of time, like the fleet.
 */
export class ApiServer implements StandInWorld {
  readonly #city: City;
  readonly #plan: IncidentPlan;
  #day: CityDay | null = null;

  constructor(city: City, plan: IncidentPlan) {
    this.#city = city;
    this.#plan = plan;
  }

  instances(_region: string, now: number): readonly StandInInstance[] {
    const state = this.#state(now);
    const status = this.#isBooting(now) ? 'initializing' : 'ok';
    return [
      {
        id: API_SERVER.id,
        tags: { Name: API_SERVER.name, Role: 'dispatch-api' },
        state,
        monitoring: 'enabled',
        checks: state === 'running' ? { system: 'ok', instance: status } : null,
      },
    ];
  }

  datapoints(
    { instanceId, name, stat, period }: { instanceId: string; name: string; stat: string; period: number },
    { from, to, now }: { from: number; to: number; now: number },
  ): readonly Datapoint[] {
    if (instanceId !== API_SERVER.id) return [];
    const points: Datapoint[] = [];
    const minutes = period / MINUTE;
    for (let timestamp = Math.ceil(from / period) * period; timestamp < to; timestamp += period) {
      const values: number[] = [];
      for (let n = 0; n < minutes; n += 1) {
        const value = this.#minuteValue(name, timestamp + n * MINUTE, now);
        if (value !== null) values.push(value);
      }
      if (values.length === 0) continue;
      const sum = values.reduce((total, value) => total + value, 0);
      points.push({ timestamp, value: stat === 'Sum' ? sum : sum / values.length });
    }
    return points;
  }

  /** The row that a poll at `time` finds. */
  row(time: number): Item {
    const [instance] = this.instances('', time);
    const { state, checks } = instance!;
    const running = state === 'running';
    const range = { from: time - 4 * MINUTE, to: time, now: time };
    const latest = (name: string, stat: string) =>
      running
        ? this.datapoints({ instanceId: API_SERVER.id, name, stat, period: MINUTE }, range).at(-1)
        : undefined;
    const cpu = latest('CPUUtilization', 'Average');
    const perSecond = (point: Datapoint | undefined) =>
      point === undefined ? null : Number((point.value / 60).toFixed(6));
    return {
      instance_id: API_SERVER.id,
      name: API_SERVER.name,
      state,
      running: running ? 1 : 0,
      status_checks: checks?.instance ?? null,
      cpu_utilization: cpu?.value ?? null,
      network_in: perSecond(latest('NetworkIn', 'Sum')),
      network_out: perSecond(latest('NetworkOut', 'Sum')),
      measured_at: cpu === undefined ? null : new Date(cpu.timestamp).toISOString(),
    };
  }

  #state(time: number): string {
    const down = this.#plan.at(time, 'down');
    if (down === null) return 'running';
    if (time < down.from + STOPPING) return 'stopping';
    return time >= down.to - STOPPING ? 'pending' : 'stopped';
  }

  #isBooting(time: number): boolean {
    return this.#plan.at(time, 'down') === null && this.#plan.at(time - BOOTING, 'down') !== null;
  }

  /** CloudWatch's value for the minute that begins at `start`, or null where it has none (yet). */
  #minuteValue(name: string, start: number, now: number): number | null {
    const end = start + MINUTE;
    if (end + DELAY > now || this.#state(end - 1) !== 'running') return null;
    if (name === 'CPUUtilization') return Math.round(this.#cpu(start) * 1_000) / 1_000;
    const cutOff = this.#plan.at(start + MINUTE / 2, 'network') !== null;
    const bytes = 40_000 + 900_000 * this.#load(start) * (0.9 + 0.2 * this.#noise(name, start));
    return cutOff ? 0 : Math.round(bytes * 60 * (name === 'NetworkOut' ? 1.7 : 1));
  }

  #cpu(start: number): number {
    const noise = this.#noise('cpu', start);
    if (this.#plan.at(start + MINUTE / 2, 'cpu') !== null) return 93 + 6 * noise;
    if (this.#plan.at(start + MINUTE / 2, 'network') !== null) return 2 + noise;
    return 6 + 52 * this.#load(start) + 8 * noise;
  }

  /** From 0 at night to 1 in the busiest hour. */
  #load(time: number): number {
    if (this.#day === null || time < this.#day.start || time >= this.#day.end) {
      this.#day = new CityDay(this.#city, this.#city.fleetDate(time));
    }
    return Math.min(1, this.#day.level((time - this.#day.start) / 1_000));
  }

  #noise(what: string, time: number): number {
    return chance(this.#city.seed, what, Math.floor(time / MINUTE));
  }
}
