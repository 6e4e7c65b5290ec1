import { formatDuration, parseDuration } from '../../src/base/durations.js';
import type { DashboardJson, JsonObject, PanelJson, VariableJson } from './provisioning.js';

/** What Grafana puts in place of its variables before a panel's query leaves. */

export interface Picked {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly interval: string;
  readonly variables: readonly VariableJson[];
}

/** Grafana's own steps, rounded up to by the width of a panel. */
const steps = [
  '1s',
  '5s',
  '10s',
  '15s',
  '30s',
  '1m',
  '2m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '3h',
  '6h',
  '12h',
  '1d',
];
/** Points that fit in one of the 24 columns on a large screen. */
const POINTS_PER_COLUMN = 80;

/** The time a dashboard opens with, or the panel's own, and the interval that follows from the panel's width. */
export function pickedTime(dashboard: DashboardJson, panel: PanelJson, now: number): Picked {
  const { timeFrom, interval: least = '1s' } = panel as { timeFrom?: string; interval?: string };
  const range = timeFrom === undefined ? dashboard.time : { from: `now-${timeFrom}`, to: 'now' };
  const from = momentOf(range.from, now, 'start');
  const to = momentOf(range.to, now, 'end');
  const wanted = Math.max((to - from) / (panel.gridPos.w * POINTS_PER_COLUMN), parseDuration(least)!);
  const interval = steps.find((step) => parseDuration(step)! >= wanted) ?? '1d';
  return {
    from,
    to,
    interval: formatDuration(parseDuration(interval)!),
    variables: dashboard.templating.list,
  };
}

/** `now`, `now-27d`, `now/d` and both: rounded to the day in UTC, which is near enough for a test. */
function momentOf(text: string, now: number, side: 'start' | 'end'): number {
  const match = /^now(?:-(\d+\w))?(\/d)?$/.exec(text);
  if (match === null) throw new Error(`the test does not know the time ${text}`);
  const moment = now - (match[1] === undefined ? 0 : parseDuration(match[1])!);
  if (match[2] === undefined) return moment;
  const day = 86_400_000;
  return Math.floor(moment / day) * day + (side === 'end' ? day - 1 : 0);
}

/** A copy of the query with every variable replaced; one that nobody defined is an error. */
export function fillIn(query: JsonObject, picked: Picked): JsonObject {
  const text = JSON.stringify(query).replaceAll(
    /\$\{(\w+)(?::(\w+))?\}/g,
    (_, name: string, format?: string) => JSON.stringify(replacement(name, format, picked)).slice(1, -1),
  );
  return JSON.parse(text) as JsonObject;
}

function replacement(name: string, format: string | undefined, picked: Picked): string {
  if (name === '__from') return String(picked.from);
  if (name === '__to') return String(picked.to);
  if (name === '__interval') return picked.interval;
  const variable = picked.variables.find((variable) => variable.name === name);
  if (variable === undefined) throw new Error(`there is no variable ${name}`);
  const value = chosenOf(variable);
  if (typeof value === 'string') return value;
  if (value.length === 1) return value[0]!;
  return format === 'csv' ? value.join(',') : `{${value.join(',')}}`;
}

/** What is chosen; for *All*, every value that is offered. */
function chosenOf({ current: { value }, options = [] }: VariableJson): string | readonly string[] {
  if (typeof value === 'string' || !value.includes(ALL)) return value;
  return options.map((option) => option.value).filter((offered) => offered !== ALL);
}

const ALL = '$__all';
