import { Registry as MetricsRegistry } from 'prom-client';
import type { Clock } from '../base/clock.js';
import type { DynamoCsvError } from '../base/errors.js';
import { LocalDays } from '../base/local-days.js';
import type { Logger } from '../base/logger.js';
import { createPollMetrics, type PollMetrics } from '../collect/metrics.js';
import type { Config } from '../config/config.js';
import { Published } from '../datasets/published.js';
import { DatasetRegistry } from '../datasets/registry.js';
import { createHttpMetrics, type HttpMetrics } from '../http/metrics.js';
import { ResponseTimes } from '../http/server.js';
import type { Recorder } from '../recorder/recorder.js';
import { Copies } from './copies.js';

export interface AppOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts a start in progress: it rejects with the signal's reason, and everything is closed again. */
  readonly signal: AbortSignal;
  /** Called when a running service cannot go on, with the reason: end it. */
  readonly onFatal?: (error: DynamoCsvError) => void;
}

/** What the parts of one service share. */
export interface Service extends AppOptions {
  readonly config: Config;
  readonly days: LocalDays;
  /** Each service in a process has its own. */
  readonly pollMetrics: PollMetrics;
  readonly httpMetrics: HttpMetrics;
  readonly registry: DatasetRegistry;
  /** The datasets that are recorded, in the registry: by this service, or by another that it follows. */
  readonly published: Published;
  readonly responseTimes: ResponseTimes;
  /** The recorders that are open. */
  readonly recorders: Set<Recorder>;
  /** For the archived days that this service fetches while it reads another one's data folder; null: it never does. */
  readonly copies: Copies | null;
}

export function createService(config: Config, options: AppOptions): Service {
  const metrics = new MetricsRegistry();
  const registry = new DatasetRegistry();
  return {
    ...options,
    config,
    days: new LocalDays(config.timeZone),
    pollMetrics: createPollMetrics(metrics),
    httpMetrics: createHttpMetrics(metrics),
    registry,
    published: new Published(registry),
    responseTimes: new ResponseTimes(options.clock),
    recorders: new Set(),
    copies: Copies.of(config, options.logger),
  };
}
