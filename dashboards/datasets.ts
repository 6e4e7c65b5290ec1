/**
 * The datasets that dashboards and alerts read, with the columns they use: the contract with the service.
 * A query can only name what is listed here (the compiler checks it), and the contract test checks the list
 * against the running service.
 */

import type { CellType } from '../src/dashboards/reading.js';

export interface ColumnContract {
  readonly type: CellType;
  /** Set where a row may have no value, with the reason. Everywhere else an absent value is a fault. */
  readonly mayBeAbsent?: string;
}

export interface DatasetContract {
  readonly columns: Readonly<Record<string, ColumnContract>>;
  /** Set where having no row at all is good news, or an ordinary state, with the reason. */
  readonly mayBeEmpty?: string;
}

const text = { type: 'string' } as const;
const count = { type: 'number' } as const;
const amount = { type: 'number' } as const;
const time = { type: 'time' } as const;
const rate = { type: 'number', mayBeAbsent: 'no rate before the first dispatch' } as const;
const measured = { type: 'number', mayBeAbsent: 'no measurement, or the server is stopped' } as const;

const toCome = { type: 'number', mayBeAbsent: 'the rest of today is still to come' } as const;
const beforeUs = { type: 'number', mayBeAbsent: 'the service was not running a week ago' } as const;
const waited = { type: 'number', mayBeAbsent: 'no taxi was waiting in this hour' } as const;

const polled = { type: 'number', mayBeAbsent: 'a log or changes: its table is polled' } as const;
const answered = { type: 'number', mayBeAbsent: 'nobody has asked for it yet' } as const;

const zone = { zone_id: text, zone: text, borough: text, latitude: amount, longitude: amount } as const;

export const datasets = {
  'rides-today': { columns: { date: text, pickups: count, dispatches: count, success_rate: rate } },
  'rides-per-day': {
    columns: {
      timestamp: time,
      date: text,
      weekday: text,
      pickups: count,
      dispatches: count,
      success_rate: rate,
    },
  },
  'rides-per-hour': {
    columns: { timestamp: time, date: text, hour: count, weekday: text, pickups: count, dispatches: count },
  },
  'rides-course': {
    columns: {
      timestamp: time,
      today: toCome,
      last_week: beforeUs,
    },
  },
  'rides-per-hour-today': {
    columns: {
      hour: text,
      pickups: toCome,
      pickups_last_week: beforeUs,
      dispatches: toCome,
      dispatches_last_week: beforeUs,
    },
  },
  'boardings-per-zone-today': { columns: { ...zone, boardings: count } },
  'boardings-per-zone-per-day': { columns: { timestamp: time, date: text, ...zone, boardings: count } },
  'busiest-zones-per-day': {
    columns: { timestamp: time, date: text, rank: count, zone_id: text, zone: text, boardings: count },
  },
  'quietest-zones-per-day': {
    columns: { timestamp: time, date: text, rank: count, zone_id: text, zone: text, boardings: count },
  },
  'destinations-per-zone': { columns: { ...zone, taxis: count } },
  'success-rate-per-week': {
    columns: {
      timestamp: time,
      week: text,
      pickups: count,
      dispatches: count,
      average_success_rate: rate,
      change: { type: 'number', mayBeAbsent: 'the first week has none before it' },
    },
  },
  'unassigned-taxis': { columns: { taxi_id: count }, mayBeEmpty: 'every taxi has a destination' },
  'unassigned-taxis-count': { columns: { unassigned: count } },
  'taxis-now': { columns: { taxis: count, assigned: count, unassigned: count } },
  zones: { columns: { ...zone } },
  'taxi-destinations': {
    columns: { taxi_id: count, zone: { type: 'string', mayBeAbsent: 'the taxi is unassigned' } },
  },
  'taxi-destination-changes': {
    columns: {
      timestamp: time,
      taxi_id: count,
      change: text,
      from_zone: { type: 'string', mayBeAbsent: 'the taxi was unassigned' },
      to_zone: { type: 'string', mayBeAbsent: 'the taxi became unassigned' },
    },
    mayBeEmpty: 'the taxi has not changed its destination in this time',
  },
  'zones-short-of-taxis': {
    columns: {
      zone_id: text,
      zone: text,
      boardings_last_hour: count,
      taxis: count,
      expected_taxis: amount,
      short_by: amount,
    },
    mayBeEmpty: 'every zone has its share of the taxis',
  },
  'success-rate-per-zone': {
    columns: {
      zone_id: text,
      zone: text,
      taxis_sent: count,
      boardings: count,
      success_rate: { type: 'number', mayBeAbsent: 'no taxi was sent to the zone' },
    },
  },
  'assignment-times-per-hour': {
    columns: {
      timestamp: time,
      assignments: count,
      median_seconds: waited,
      p90_seconds: waited,
      longest_seconds: waited,
    },
  },
  'api-server': {
    columns: {
      instance_id: text,
      name: text,
      state: text,
      running: count,
      status_checks: { type: 'string', mayBeAbsent: 'a stopped server is not checked' },
      cpu_utilization: measured,
      network_in: measured,
      network_out: measured,
      measured_at: { type: 'time', mayBeAbsent: 'never measured' },
    },
  },
  'api-server-log': {
    columns: {
      timestamp: time,
      instance_id: text,
      name: text,
      running: count,
      cpu_utilization: measured,
      network_in: measured,
      network_out: measured,
    },
  },
  'api-server-cpu': { columns: { instance_id: text, name: text, cpu_utilization: measured } },
  'api-server-network-in': { columns: { instance_id: text, name: text, network_in: measured } },
  'api-server-network-out': { columns: { instance_id: text, name: text, network_out: measured } },
  'api-server-not-running': { columns: { instance_id: text, name: text, not_running: count } },
  'api-server-no-measurement': { columns: { instance_id: text, name: text, no_measurement: count } },
  'dataset-age': { columns: { dataset: text, age_seconds: amount } },
  collector: {
    columns: {
      dataset: text,
      kind: text,
      state: text,
      rows: { type: 'number', mayBeAbsent: 'never read' },
      age_seconds: { type: 'number', mayBeAbsent: 'never read' },
      age_intervals: amount,
      last_error: { type: 'string', mayBeAbsent: 'the last poll succeeded' },
      poll_seconds: polled,
      poll_seconds_p95: polled,
      failures: polled,
      read_units_per_day: polled,
      interval_seconds: polled,
      usd_per_month: polled,
      usd_this_month: polled,
      response_ms_p50: answered,
      response_ms_p99: answered,
      stream_lag_seconds: { type: 'number', mayBeAbsent: 'the table is polled' },
      archive_age_intervals: { type: 'number', mayBeAbsent: 'there is no archive' },
      missing_days: count,
    },
  },
  'collector-log': {
    columns: {
      timestamp: time,
      dataset: text,
      state: text,
      rows: { type: 'number', mayBeAbsent: 'never read' },
      age_seconds: { type: 'number', mayBeAbsent: 'never read' },
      poll_seconds: polled,
      failures: polled,
      interval_seconds: polled,
      usd_per_month: polled,
      usd_this_month: polled,
      response_ms_p50: answered,
      response_ms_p99: answered,
    },
    mayBeEmpty: 'the service has only just started',
  },
} as const satisfies Record<string, DatasetContract>;
