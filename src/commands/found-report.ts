import type { App, PolledSource } from '../app.js';
import { systemClock } from '../base/clock.js';
import { formatDuration } from '../base/durations.js';
import { describeError } from '../base/errors.js';
import { formatBytes } from '../base/sizes.js';
import { textTable } from '../base/text-table.js';
import { formatCount, formatDollars } from '../config/check-report.js';

/** Rows that are printed; a terminal has no use for a thousand. */
const MOST_ROWS = 40;
/** Milliseconds that the first answers of AWS may take before what is known is printed. */
const PATIENCE = 30_000;
/** Milliseconds that the first polls may take: what DynamoDB says about a new table is up to six hours old. */
const FIRST_POLLS = 3_000;
const LOOK_EVERY = 50;

interface Row {
  readonly title: string;
  readonly items: string;
  readonly size: string;
  readonly every: string;
  readonly usd: number | null;
  readonly where: string;
  readonly isReadable: boolean;
}

/**
 * What the command line prints once the service runs: each table with its size, interval and cost, and where it is; then
 * the address of the page.
 */
export async function foundReport({ url, reading }: App): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE);
  await Promise.race([reading.firstLook, aborted(signal)]);
  const sources = reading.sources();
  await firstPolls(sources.slice(0, MOST_ROWS));
  const rows = await Promise.all(sources.map((source) => rowOf(source, url, signal)));
  const skipped = [...reading.skipped()];
  const lines = rows
    .slice(0, MOST_ROWS)
    .map(({ title, items, size, every, usd, where }) => [
      title,
      items,
      size,
      every,
      formatDollars(usd),
      where,
    ]);
  const more = rows.length - lines.length;
  const problem = reading.problem();
  return [
    '',
    ...(rows.length === 0
      ? [problem === null ? 'No table was found.' : problem.line]
      : textTable([['table', 'items', 'size', 'every', 'USD/month', 'CSV'], ...lines], [1, 2, 3, 4])),
    ...(more > 0 ? [`and ${formatCount(more)} more`] : []),
    ...skipped.slice(0, MOST_ROWS).map(([table, { line }]) => `${table} is skipped: ${line}`),
    ...(skipped.length > MOST_ROWS
      ? [`and ${formatCount(skipped.length - MOST_ROWS)} more are skipped`]
      : []),
    '',
    costLine(rows, reading.usdPerMonth),
    `Page    ${url}/`,
    '',
  ].join('\n');
}

/** Waits until these sources were polled or have failed, for a short time. */
async function firstPolls(sources: readonly PolledSource[]): Promise<void> {
  const isPolled = ({ collector: { health, statistics } }: PolledSource) =>
    statistics.polls > 0 || health.lastError !== null;
  for (let waited = 0; waited < FIRST_POLLS && !sources.every(isPolled); waited += LOOK_EVERY)
    await systemClock.sleep(LOOK_EVERY);
}

function costLine(rows: readonly Row[], budget: number | null): string {
  if (rows.length > 0 && rows.every(({ isReadable }) => !isReadable))
    return 'None of these tables can be read now. The service goes on trying; Ctrl-C ends it.';
  const usd = rows.reduce((total, row) => total + (row.usd ?? 0), 0);
  const amount = usd < 0.01 ? 'less than USD 0.01' : `about USD ${formatDollars(usd)}`;
  const about = `Reading costs ${amount} a month on demand`;
  return budget === null
    ? `${about}. There is no limit; --budget sets one.`
    : `${about}; the budget is USD ${formatDollars(budget)}.`;
}

async function rowOf(
  { title, collector, pace }: PolledSource,
  url: string,
  signal: AbortSignal,
): Promise<Row> {
  const name = title.replace(/^DynamoDB table /, '');
  const where = `${url}/csv/${encodeURIComponent(collector.name)}`;
  try {
    const { items, bytes } = await pace.known(signal);
    const [dataset] = collector.recorder.datasets;
    const status = collector.statistics.polls > 0 && dataset?.kind === 'snapshot' ? dataset.status() : null;
    return {
      title: name,
      items: formatCount(status?.rows ?? items),
      size: formatBytes(bytes > 0 ? bytes : (status?.bytes ?? 0)),
      every: pace.isBeyondBudget ? '-' : formatDuration(pace.interval),
      usd: pace.usdPerMonth,
      where: pace.problem === null ? where : pace.problem.line,
      isReadable: true,
    };
  } catch (error) {
    const problem = signal.aborted ? 'AWS has not answered yet' : describeError(error);
    const unknown = { items: '-', size: '-', every: '-', usd: null };
    return { title: name, ...unknown, where: problem, isReadable: false };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
