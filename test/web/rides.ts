import type { Cell } from '../../src/csv/rows.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';

export const MARKUP =
  '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>';

/** A log of two counters: a row of each every three minutes of the last half hour, the latest a minute ago. */
export async function ridesLog(): Promise<ScriptedDataset> {
  const log = new ScriptedDataset({
    name: 'rides',
    kind: 'log',
    columns: [column('counter_type'), column('count', 'number'), column('note'), column('timestamp', 'time')],
    keys: ['counter_type'],
    timeColumn: 'timestamp',
    description: 'Rides, as a test counts them.',
  });
  await log.land(ridesRows(Date.now()));
  return log;
}

const MINUTE = 60_000;

export function ridesRows(now: number): Cell[][] {
  const notes = [null, '', 'a "quote", a comma', MARKUP, 'plain'];
  return Array.from({ length: 10 }, (_, step) => {
    const time = new Date(now - MINUTE - (9 - step) * 3 * MINUTE).toISOString();
    return ['dispatch', 'pickup'].map((type, index): Cell[] => [
      type,
      String((step + 1) * (index === 0 ? 13 : 10)),
      notes[(step + index) % notes.length]!,
      time,
    ]);
  }).flat();
}

/** Empty taxis and where they go, so many of them. */
export async function taxis(count: number): Promise<ScriptedDataset> {
  const dataset = new ScriptedDataset({
    name: 'taxis',
    columns: [column('taxi_id', 'number'), column('zone'), column('speed', 'number')],
    keys: ['taxi_id'],
  });
  await dataset.land(
    Array.from({ length: count }, (_, id): Cell[] => [
      String(id),
      id % 20 === 0 ? null : `Zone ${(id * 7) % 263}`,
      ((id * 31) % 977).toFixed(1),
    ]),
  );
  return dataset;
}
