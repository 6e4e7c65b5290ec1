/** An EC2 instance as EC2 and CloudWatch describe it at one time. */
export interface StandInInstance {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  /** EC2's instance state: `running`, `stopped`, … */
  readonly state: string;
  readonly monitoring: 'enabled' | 'disabled';
  /** The two status checks, `ok`, `impaired`, …; null: not reported, as for a stopped instance. */
  readonly checks: { readonly system: string; readonly instance: string } | null;
}

/** One measured value of one period. */
export interface Datapoint {
  /** Start of the period, milliseconds since the epoch. */
  readonly timestamp: number;
  readonly value: number;
}

/** What the stand-in simulates. */
export interface StandInWorld {
  instances(region: string, now: number): readonly StandInInstance[];
  /** The values of a metric that CloudWatch has at `now`, from `from` (included) to `to` (excluded), in any order; times in milliseconds. */
  datapoints(
    metric: {
      readonly instanceId: string;
      readonly name: string;
      readonly stat: string;
      readonly period: number;
    },
    range: { readonly from: number; readonly to: number; readonly now: number },
  ): readonly Datapoint[];
}

/** A parsed request. */
export interface Call {
  /** As in IAM: `ec2:DescribeInstances`. */
  readonly action: string;
  readonly region: string;
  readonly world: StandInWorld;
  readonly now: number;
  /** The largest page. */
  readonly pageSize: number;
}

/** An answer in one of AWS's wire formats. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** An error in AWS's wire format. */
export interface AwsFailure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export function unknownAction({ action }: Call): AwsFailure {
  return { status: 400, code: 'InvalidAction', message: `The stand-in does not know ${action}` };
}

/** One page of a list. The token is where the next page begins. */
export function page<T>(
  all: readonly T[],
  token: string | null | undefined,
  size: number,
): { items: readonly T[]; next: string | null } {
  const start = Number(token ?? 0);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : null };
}
