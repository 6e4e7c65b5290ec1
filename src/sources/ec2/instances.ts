import type {
  DescribeInstancesCommandInput,
  EC2Client,
  Instance as Ec2Instance,
  Filter,
  InstanceStatus,
} from '@aws-sdk/client-ec2';
import { instancesNotRead } from './errors.js';
import type { Meter } from './meter.js';
import { DescribeInstanceStatusCommand, paginateDescribeInstances } from './sdk.js';

/** Which instances: those of `ids`, and those that have all `tags` (of each tag any one value, `*` for any text). */
export interface InstanceSelection {
  readonly ids: readonly string[];
  readonly tags: Readonly<Record<string, readonly string[]>>;
}

/** An instance as EC2 describes it. */
export interface Instance {
  readonly id: string;
  /** The tag `Name`. */
  readonly name: string | null;
  /** EC2's own words. */
  readonly state: string;
  /** Milliseconds that one CloudWatch value covers: basic monitoring 5 minutes, detailed 1 minute. */
  readonly period: number;
  /** The worst of its status checks; null where EC2 reports none. */
  readonly statusChecks: string | null;
}

export interface Ec2Call {
  readonly client: EC2Client;
  readonly region: string | null;
  readonly meter: Meter;
  readonly signal: AbortSignal;
}

const BASIC_PERIOD = 300_000;
const DETAILED_PERIOD = 60_000;

/** Values per filter, and ids per DescribeInstanceStatus: EC2's limits. */
const FILTER_VALUES = 200;
const STATUS_IDS = 100;
const PAGE = 1_000;
/** The minimum of DescribeInstanceStatus for `MaxResults`. */
const FEWEST_STATUSES = 5;

/** Worst first. The words are those of `SummaryStatus` in EC2's reference. */
const SEVERITY = ['impaired', 'insufficient-data', 'initializing', 'not-applicable', 'ok'];

/** All instances of the selection in a region, by id. Rejects with a `DynamoCsvError`. */
export async function readInstances(
  call: Ec2Call,
  selection: InstanceSelection,
): Promise<Map<string, Instance>> {
  const found = new Map<string, Ec2Instance>();
  const add = (instances: readonly Ec2Instance[]) => {
    for (const instance of instances) found.set(instance.InstanceId ?? '', instance);
  };
  const { byIds, byTags } = filtersOf(selection);
  for (const filters of byIds) add(await describeInstances(call, filters));
  if (byTags.length > 0) add(withoutReplaced(await describeInstances(call, byTags)));
  const running = [...found.values()].filter((instance) => instance.State?.Name === 'running');
  const checks = await describeStatusChecks(
    call,
    running.map(({ InstanceId }) => InstanceId ?? ''),
  );
  return new Map(Array.from(found, ([id, instance]) => [id, toInstance(instance, checks.get(id) ?? null)]));
}

/**
 * Drops terminated instances found by tags while another one works. EC2 lists terminated instances for up to an hour, with
 * their tags. If none works, all stay, to show that the server is not running.
 */
function withoutReplaced(instances: readonly Ec2Instance[]): readonly Ec2Instance[] {
  const isIn = ({ State }: Ec2Instance, ...states: readonly string[]) => states.includes(State?.Name ?? '');
  if (!instances.some((instance) => isIn(instance, 'running', 'pending'))) return instances;
  return instances.filter((instance) => !isIn(instance, 'shutting-down', 'terminated'));
}

/**
 * One filter set per call: `byTags` is one, of `byIds` each. Ids go into a filter and not into `InstanceIds`, because
 * there one id that does not exist is an error for all of them.
 */
function filtersOf({ ids, tags }: InstanceSelection): { byIds: Filter[][]; byTags: Filter[] } {
  const byTags = Object.entries(tags).map(([tag, values]) => ({ Name: `tag:${tag}`, Values: [...values] }));
  const byIds = chunks(ids, FILTER_VALUES).map((Values) => [{ Name: 'instance-id', Values }]);
  return { byIds, byTags };
}

async function describeInstances(call: Ec2Call, Filters: Filter[]): Promise<Ec2Instance[]> {
  const { client, meter, signal, region } = call;
  const input: DescribeInstancesCommandInput = { Filters };
  const instances: Ec2Instance[] = [];
  try {
    for await (const page of paginateDescribeInstances({ client, pageSize: PAGE }, input, {
      abortSignal: signal,
    })) {
      meter.answered(page);
      instances.push(...(page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []));
    }
  } catch (error) {
    throw instancesNotRead(region, 'ec2:DescribeInstances', error);
  }
  return instances;
}

/** Requests the status checks of any instances, to see whether that is allowed. Rejects with a `DynamoCsvError`. */
export async function tryStatusChecks({ client, region, meter, signal }: Ec2Call): Promise<void> {
  try {
    const command = new DescribeInstanceStatusCommand({ MaxResults: FEWEST_STATUSES });
    meter.answered(await client.send(command, { abortSignal: signal }));
  } catch (error) {
    throw instancesNotRead(region, 'ec2:DescribeInstanceStatus', error);
  }
}

/** Of running instances: EC2 has no status checks for others, and filters neither by id nor by tag here. */
async function describeStatusChecks(call: Ec2Call, ids: readonly string[]): Promise<Map<string, string>> {
  const checks = new Map<string, string>();
  for (const InstanceIds of chunks(ids, STATUS_IDS)) {
    try {
      const command = new DescribeInstanceStatusCommand({ InstanceIds });
      const output = await call.client.send(command, { abortSignal: call.signal });
      call.meter.answered(output);
      for (const status of output.InstanceStatuses ?? []) checks.set(status.InstanceId ?? '', worst(status));
    } catch (error) {
      throw instancesNotRead(call.region, 'ec2:DescribeInstanceStatus', error);
    }
  }
  return checks;
}

function worst({ SystemStatus, InstanceStatus, AttachedEbsStatus }: InstanceStatus): string {
  const reported = [SystemStatus, InstanceStatus, AttachedEbsStatus].flatMap((check) => check?.Status ?? []);
  const rank = (status: string) => (SEVERITY.indexOf(status) + SEVERITY.length + 1) % (SEVERITY.length + 1);
  return reported.sort((a, b) => rank(a) - rank(b))[0] ?? 'insufficient-data';
}

function toInstance(instance: Ec2Instance, statusChecks: string | null): Instance {
  return {
    id: instance.InstanceId ?? '',
    name: instance.Tags?.find(({ Key }) => Key === 'Name')?.Value ?? null,
    state: instance.State?.Name ?? 'unknown',
    period: instance.Monitoring?.State === 'enabled' ? DETAILED_PERIOD : BASIC_PERIOD,
    statusChecks,
  };
}

/** The list in parts of at most `size`. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
