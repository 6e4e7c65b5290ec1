import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Config } from '../config/config.js';
import type { Registry } from '../datasets/dataset.js';
import type { Queries } from '../datasets/queries.js';
import type { HttpMetrics } from './metrics.js';
import type { ResponseTimes } from './response-times.js';

/** Everything that HTTP needs of the rest. */
export interface HttpOptions {
  readonly registry: Registry;
  readonly queries: Queries;
  readonly metrics: HttpMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly config: Pick<Config, 'apiToken' | 'corsOrigin' | 'allowSql' | 'file' | 'dataDir' | 'timeZone'>;
  /** How long requests took is recorded here, by dataset. */
  readonly responseTimes: ResponseTimes;
  /** DynamoDB read capacity units that a dataset consumed since local midnight; null for what is no DynamoDB table. */
  readonly readUnitsToday: (dataset: string) => number | null;
  /** Folder of the page's files, as built; null: there is no page. */
  readonly webDir: string | null;
  /** Where people open Grafana, for a link on the page; null: not known. */
  readonly grafanaUrl: string | null;
}

/** Fastify with routes typed by their TypeBox schemas. */
export type Http = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route answers without the token: health, and the page's own files, which hold no data. */
    readonly isOpen?: boolean;
  }
  interface FastifyRequest {
    /** The dataset that was asked for, where one was. */
    dataset: string | null;
  }
  interface FastifyInstance {
    /** The methods of every route by its URL. */
    readonly methodsByUrl: ReadonlyMap<string, ReadonlySet<string>>;
  }
}
