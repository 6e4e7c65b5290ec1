import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Clock } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Config } from '../config/config.js';
import type { Registry } from '../datasets/dataset.js';
import type { LostDay } from '../datasets/missing-days.js';
import type { Queries } from '../datasets/queries.js';
import type { HttpMetrics } from './metrics.js';
import type { ResponseTimes } from './response-times.js';

/** What reading a source costs, in US dollars. */
export interface DatasetCost {
  /** Expected per month (730 hours) at the present interval; null: not known yet. */
  readonly usdPerMonth: number | null;
  /** Spent in this calendar month (UTC). */
  readonly usdThisMonth: number;
  /** The budget per month that it shares with others; null: there is no limit. */
  readonly budget: number | null;
  /** Why its polls wait for money; null: they do not. */
  readonly waiting: string | null;
}

/** What the HTTP server needs from the rest of the service. */
export interface HttpOptions {
  /** The datasets that can be requested. */
  readonly registry: Registry;
  /** Computes windows and SQL. */
  readonly queries: Queries;
  /** What `/metrics` shows. */
  readonly metrics: HttpMetrics;
  /** The service log. */
  readonly logger: Logger;
  readonly clock: Clock;
  readonly config: Pick<
    Config,
    'apiToken' | 'allowedHosts' | 'corsOrigin' | 'allowSql' | 'file' | 'dataDir' | 'timeZone'
  >;
  /** Records how long requests took, by dataset. */
  readonly responseTimes: ResponseTimes;
  /** DynamoDB read capacity units that a dataset consumed since local midnight; null if it is not a DynamoDB table. */
  readonly readUnitsToday: (dataset: string) => number | null;
  /** What reading a dataset's source costs; null: it is not polled itself. Absent: costs are not counted. */
  readonly costOf?: (dataset: string) => DatasetCost | null;
  /** Folder of the page's built files; null: the service has no page. */
  readonly webDir: string | null;
  /** URL under which people open Grafana, for a link on the page; null: no link. */
  readonly grafanaUrl: string | null;
  /** Whether dashboards of tables are written for Grafana, so that they can be opened there; default false. */
  readonly hasDashboards?: boolean;
  /** How the archive that this service writes to is doing; absent or null: it writes to none. */
  readonly archive?: () => ArchiveStatus | null;
  /** Days that the archive has lost or damaged, as far as somebody needed them here; absent: none. */
  readonly lostDays?: () => readonly LostDay[];
  /** Whether this service collects or follows; absent: it collects. */
  readonly role?: () => RoleStatus;
}

/** What a service does of what several may do together. */
export interface RoleStatus {
  /** As the variable `ROLE` says. */
  readonly configured: 'collect' | 'follow' | 'auto';
  readonly role: 'collect' | 'follow';
  /** Milliseconds by which its data is behind that of the service that collects; 0 for that one itself. Null: unknown. */
  readonly behind: number | null;
}

/** How the copy of the data folder is doing. */
export interface ArchiveStatus {
  /** `s3://my-bucket/fleet/` */
  readonly location: string;
  /** When it was last known to have everything, in milliseconds since the epoch; null: never yet. */
  readonly archivedAt: number | null;
  /** Milliseconds between two copies. */
  readonly every: number;
  /** Why the last attempt failed; null: it did not. */
  readonly error: DynamoCsvError | null;
  /** Days that it has lost or damaged, as far as somebody needed them. */
  readonly lost: readonly LostDay[];
}

/** Fastify with routes typed by their TypeBox schemas. */
export type Http = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
