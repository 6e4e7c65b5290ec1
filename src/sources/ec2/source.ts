import { type Clock, isoTime } from '../../base/clock.js';
import type { DynamoCsvError } from '../../base/errors.js';
import { encodeRows } from '../../csv/encode.js';
import type { Cell } from '../../csv/rows.js';
import { DEADLINES, type Deadlines } from '../aws/deadlines.js';
import type { Reading, ReadingCost, Source } from '../source.js';
import { INSTANCE_COLUMNS, INSTANCE_KEYS } from './columns.js';
import { regionsNotRead } from './errors.js';
import { type Instance, type InstanceSelection, readInstances } from './instances.js';
import { type Measurement, readMeasurements } from './measurements.js';
import { sumCosts } from './meter.js';
import { closeRegion, openRegion, type Region, regionsOf } from './region.js';
import { instancesTitle } from './title.js';

export interface InstancesSourceOptions extends InstanceSelection {
  /** Empty: the region that the SDK finds. */
  readonly regions: readonly string[];
  readonly clock: Clock;
  /** Other deadlines than the usual; for tests. */
  readonly deadlines?: Deadlines;
}

/** EC2 instances with their state and their latest CloudWatch measurements, one row each. */
export function createInstancesSource(options: InstancesSourceOptions): Source {
  return new InstancesSource(options);
}

/**
 * One poll asks EC2 and CloudWatch once each for all instances of a region, all regions at the same time. A region that
 * cannot be read does not affect the others: its instances have the state `unknown`, the others' rows are current, and the
 * reading's `problem` has the reason. The poll fails only if no region can be read.
 */
class InstancesSource implements Source {
  readonly title: string;
  readonly #selection: InstanceSelection;
  readonly #clock: Clock;
  readonly #regions: readonly Region[];

  constructor({ regions, clock, ids, tags, deadlines = DEADLINES }: InstancesSourceOptions) {
    this.#selection = { ids, tags };
    this.#clock = clock;
    this.#regions = regionsOf(regions).map((region) => openRegion(region, deadlines));
    this.title = instancesTitle({ ids, tags, regions });
  }

  async read({ signal }: { readonly signal: AbortSignal }): Promise<Reading> {
    const now = this.#clock.now();
    const outcomes = await Promise.allSettled(
      this.#regions.map((region) => this.#readRegion(region, now, signal)),
    );
    signal.throwIfAborted();
    const failures = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as DynamoCsvError] : [],
    );
    const problem = failures.length === 0 ? null : regionsNotRead(failures);
    if (problem !== null && failures.length === this.#regions.length) throw problem;
    const cells = new Map<string, readonly Cell[]>();
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') {
        for (const { id, name } of this.#regions[index]!.last) cells.set(id, unmeasured(id, name, 'unknown'));
      }
    }
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') for (const row of outcome.value.rows) cells.set(row[0]!, row);
    }
    for (const id of this.#selection.ids) {
      if (!cells.has(id)) cells.set(id, unmeasured(id, null, problem === null ? 'missing' : 'unknown'));
    }
    const rows = [...cells].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
    return {
      kind: 'full',
      rows: encodeRows(INSTANCE_COLUMNS, rows),
      keys: INSTANCE_KEYS,
      position: null,
      cost: sumCosts(
        outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.cost] : [])),
      ),
      problem,
    };
  }

  async close(): Promise<void> {
    for (const region of this.#regions) closeRegion(region);
  }

  async #readRegion(
    region: Region,
    now: number,
    signal: AbortSignal,
  ): Promise<{ rows: (readonly Cell[])[]; cost: ReadingCost }> {
    const { meter, name } = region;
    meter.take();
    const call = { region: name, meter, signal };
    const instances = [...(await readInstances({ ...call, client: region.ec2 }, this.#selection)).values()];
    const running = instances.filter(({ state }) => state === 'running');
    const measurements = await readMeasurements({ ...call, client: region.cloudWatch, now }, running);
    region.last = instances.map(({ id, name }) => ({ id, name }));
    const rows = instances.map((instance) => rowOf(instance, measurements.get(instance.id) ?? null));
    return { rows, cost: meter.take() };
  }
}

function rowOf(instance: Instance, measurement: Measurement | null): readonly Cell[] {
  if (measurement === null) return unmeasured(instance.id, instance.name, instance.state);
  return [
    instance.id,
    instance.name,
    instance.state,
    '1',
    instance.statusChecks,
    decimal(measurement.cpuUtilization),
    decimal(measurement.networkIn),
    decimal(measurement.networkOut),
    measurement.measuredAt === null ? null : isoTime(measurement.measuredAt),
  ];
}

/** The row of an instance that is not running, does not exist, or whose state is unknown. */
function unmeasured(id: string, name: string | null, state: string): readonly Cell[] {
  return [id, name, state, state === 'unknown' ? null : '0', null, null, null, null, null];
}

/** Plain decimal notation, rounded: millionths of a percent or of a byte per second mean nothing. */
function decimal(value: number | null): Cell {
  return value === null || !Number.isFinite(value) ? null : String(Number(value.toFixed(6)));
}
