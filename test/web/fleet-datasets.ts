import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { projectRoot } from '../../src/base/project.js';
import type { Cell } from '../../src/csv/rows.js';
import { column, ScriptedDataset } from '../support/scripted-dataset.js';

const number = (name: string) => column(name, 'number');
const ZONE = [column('zone_id'), column('zone'), column('borough'), number('latitude'), number('longitude')];
const DAY = 86_400_000;

/** The fleet's views with rows that a test knows: 2,000 taxis of which so many are unassigned. */
export async function fleetDatasets(unassigned: number): Promise<Record<string, ScriptedDataset>> {
  const lookup = await readFile(join(projectRoot, 'config', 'lookups', 'zones.csv'), 'utf8');
  const zones = (parse(lookup, { columns: true }) as Record<string, string>[]).filter(
    ({ borough }) => borough === 'Manhattan',
  );
  const places = zones.map(({ zone_id, zone, borough, latitude, longitude }): Cell[] => [
    zone_id!,
    zone!,
    borough!,
    latitude!,
    longitude!,
  ]);
  const midnight = Math.floor(Date.now() / DAY) * DAY;
  const iso = (time: number) => new Date(time).toISOString();
  const ids = Array.from({ length: unassigned }, (_, id): Cell[] => [String(id + 1)]);
  return {
    rides: await view(
      'rides-today',
      [column('date'), number('pickups'), number('dispatches'), number('success_rate')],
      [['2026-11-24', '48213', '61245', '78.7215']],
    ),
    count: await view('unassigned-taxis-count', [number('unassigned')], [[String(unassigned)]]),
    which: await view('unassigned-taxis', [number('taxi_id')], ids),
    taxis: await view(
      'taxis-now',
      [number('taxis'), number('assigned'), number('unassigned')],
      [['2000', String(2000 - unassigned), String(unassigned)]],
    ),
    server: await view(
      'api-server',
      [
        column('name'),
        column('state'),
        ...['running', 'cpu_utilization', 'network_in', 'network_out'].map(number),
      ],
      [['dispatch-api', 'running', '1', '41.3', '184320.5', '96412.2']],
    ),
    course: await view(
      'rides-course',
      [column('timestamp', 'time'), number('today'), number('last_week')],
      Array.from({ length: 288 }, (_, step): Cell[] => [
        iso(midnight + step * 300_000),
        step < 200 ? String(step * 200) : null,
        String(step * 160),
      ]),
    ),
    week: await view(
      'rides-per-day',
      [column('timestamp', 'time'), column('date'), ...['pickups', 'dispatches', 'success_rate'].map(number)],
      Array.from({ length: 30 }, (_, day): Cell[] => {
        const time = iso(midnight - (29 - day) * DAY);
        return [
          time,
          time.slice(0, 10),
          String(60_000 + day),
          String(80_000 + day),
          day === 27 ? null : '75.0011',
        ];
      }),
    ),
    destinations: await view(
      'destinations-per-zone',
      [...ZONE, number('taxis')],
      places.map((place, index) => [...place, String((index * 37) % 61)]),
    ),
    boardings: await view(
      'boardings-per-zone-today',
      [...ZONE, number('boardings')],
      places.map((place, index) => [...place, String((index * 971) % 2_600)]),
    ),
    zones: await view('zones', ZONE, places),
  };
}

async function view(
  name: string,
  columns: ReturnType<typeof column>[],
  rows: readonly (readonly Cell[])[],
): Promise<ScriptedDataset> {
  const time = columns.find(({ type }) => type === 'time');
  const dataset = new ScriptedDataset({
    name,
    kind: 'view',
    columns,
    ...(time === undefined ? {} : { timeColumn: time.name }),
  });
  await dataset.land(rows);
  return dataset;
}
