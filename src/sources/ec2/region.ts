import { clientOptions, prepareClient } from '../aws/client.js';
import { DEADLINES, type Deadlines } from '../aws/deadlines.js';
import type { Instance } from './instances.js';
import { Meter } from './meter.js';
import { CloudWatchClient, EC2Client } from './sdk.js';

/** Connections of one client: it asks page after page. */
const MAX_SOCKETS = 4;

/** A region with its clients. */
export interface Region {
  readonly name: string | null;
  readonly ec2: EC2Client;
  readonly cloudWatch: CloudWatchClient;
  readonly meter: Meter;
  /** The instances found when it was last read: all that is known while it cannot be read. */
  last: readonly Pick<Instance, 'id' | 'name'>[];
}

/** The regions to read; null: the one that the SDK finds. */
export function regionsOf(configured: readonly string[]): readonly (string | null)[] {
  return configured.length === 0 ? [null] : configured;
}

export function openRegion(name: string | null, deadlines: Deadlines = DEADLINES): Region {
  const config = {
    ...(name === null ? {} : { region: name }),
    ...clientOptions({ maxSockets: MAX_SOCKETS, silence: deadlines.silence }),
  };
  const ec2 = new EC2Client(config);
  const cloudWatch = new CloudWatchClient(config);
  const meter = new Meter();
  for (const client of [ec2, cloudWatch]) {
    meter.attach(client);
    prepareClient(client, deadlines);
  }
  return { name, ec2, cloudWatch, meter, last: [] };
}

export function closeRegion({ ec2, cloudWatch }: Region): void {
  ec2.destroy();
  cloudWatch.destroy();
}
