import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { projectRoot } from '../../src/base/project.js';
import type { ChangeRow } from './differ.js';
import type { Row } from './reference.js';
import type { Poll } from './simulation.js';

/** What the fleet's tables hold at one time. */
export interface FleetState {
  readonly now: number;
  readonly zone: string;
  readonly flags?: readonly ChangeRow[];
  readonly zones?: readonly ChangeRow[];
  /** The latest poll's snapshots. */
  readonly latest?: Poll | undefined;
  readonly destinations?: readonly (readonly [taxi: string, nextZone: string | null])[];
  readonly heading?: readonly (readonly [zone: string, taxis: string | null])[];
  readonly taxiChanges?: readonly TaxiChange[];
}

/** A row of `taxi-destination-dynamodb-changes`; times as ISO 8601. */
export interface TaxiChange {
  readonly at: string;
  readonly taxi: string;
  readonly change?: 'insert' | 'update' | 'delete';
  readonly from: string | null;
  readonly to: string | null;
}

const viewsFolder = join(projectRoot, 'config', 'views');

/** The fleet's own views and lookups over given rows, as anybody who asks for `/csv/<view>` gets them. */
export class FleetSql {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #folder: string;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
    this.#folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  }

  static async start(): Promise<FleetSql> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const fleet = new FleetSql(instance, await instance.connect());
    await fleet.#run(`CREATE MACRO service_now() AS to_timestamp(getvariable('now') / 1000)`);
    await fleet.#run('SET VARIABLE now = 0');
    await fleet.#run(readFileSync(join(projectRoot, 'src/sql/macros.sql'), 'utf8'));
    await fleet.#run(
      `CREATE TABLE zones AS FROM read_csv('${join(projectRoot, 'config/lookups/zones.csv')}')`,
    );
    return fleet;
  }

  async load(state: FleetState): Promise<void> {
    await this.#run(`SET TimeZone = '${state.zone}'`);
    await this.#run(`SET VARIABLE now = ${state.now}`);
    await this.#loadChanges('flag-dynamodb-changes', 'counter_type', state.flags ?? []);
    await this.#loadChanges('pickup-zone-dynamodb-changes', 'zone_id', state.zones ?? []);
    const counts = [...(state.latest?.zones ?? [])].map(([zone, count]) => [zone, String(count)]);
    await this.#table('pickup-zone-dynamodb', ['zone_id', 'count'], counts);
    await this.#table('zone-count-dynamodb', ['zone_id', 'count'], state.heading ?? []);
    await this.#table('taxi-destination-dynamodb', ['taxi_id', 'next_zone_id'], state.destinations ?? []);
    await this.#loadTaxiChanges(state.taxiChanges ?? []);
    await this.#createViews();
  }

  /** The view's rows; times as ISO 8601, numbers as numbers. */
  async view(name: string): Promise<Row[]> {
    return this.query(`FROM "${name}"`);
  }

  /** Any SQL, with the macros. */
  async query(sql: string): Promise<Row[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    const types = reader.columnTypes().map(String);
    const names = reader.columnNames();
    return reader
      .getRowsJson()
      .map((cells) => Object.fromEntries(cells.map((cell, i) => [names[i]!, plain(cell, types[i]!)])));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
    rmSync(this.#folder, { recursive: true });
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  async #loadChanges(name: string, key: string, rows: readonly ChangeRow[]): Promise<void> {
    const columns = ['change', key, 'count', 'previous_count', 'since', 'timestamp'];
    const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
    const text = (value: number | null) => (value === null ? null : String(value));
    await this.#table(
      `raw ${name}`,
      columns,
      rows.map((row) => [
        row.change,
        row.key,
        text(row.count),
        text(row.previousCount),
        time(row.since),
        time(row.timestamp),
      ]),
    );
    await this.#run(`CREATE OR REPLACE TABLE "${name}" AS
      SELECT change, ${key}, TRY_CAST("count" AS BIGINT) AS "count", TRY_CAST(previous_count AS BIGINT) AS previous_count,
        CAST(since AS TIMESTAMPTZ) AS since, CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp",
        CAST(CAST("timestamp" AS TIMESTAMPTZ) AS DATE) AS date
      FROM "raw ${name}"`);
  }

  async #loadTaxiChanges(changes: readonly TaxiChange[]): Promise<void> {
    await this.#table(
      'raw taxi changes',
      ['change', 'taxi_id', 'next_zone_id', 'previous_next_zone_id', 'timestamp'],
      changes.map(({ at, taxi, change = 'update', from, to }) => [change, taxi, to, from, at]),
    );
    await this.#run(`CREATE OR REPLACE TABLE "taxi-destination-dynamodb-changes" AS
      SELECT * REPLACE (CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp"),
        CAST(CAST("timestamp" AS TIMESTAMPTZ) AS DATE) AS date
      FROM "raw taxi changes"`);
  }

  async #table(
    name: string,
    columns: readonly string[],
    rows: readonly (readonly (string | null)[])[],
  ): Promise<void> {
    const file = join(this.#folder, 'rows.csv');
    const quoted = (cell: string | null) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`);
    writeFileSync(file, [columns, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join(''));
    await this.#run(`CREATE OR REPLACE TABLE "${name}" AS
      FROM read_csv('${file}', header = true, all_varchar = true, allow_quoted_nulls = false, delim = ',', quote = '"')`);
  }

  async #createViews(): Promise<void> {
    // Those about the API server and the service itself read other datasets.
    let waiting = readdirSync(viewsFolder).filter((file) => !/^(api-server-|dataset-age)/.test(file));
    while (waiting.length > 0) {
      const broken: string[] = [];
      let reason: unknown;
      for (const file of waiting) {
        const sql = readFileSync(join(viewsFolder, file), 'utf8');
        await this.#run(`CREATE OR REPLACE VIEW "${basename(file, '.sql')}" AS\n${sql}`).catch((error) => {
          reason = error;
          broken.push(file);
        });
      }
      // A view that uses another one waits for it.
      if (broken.length === waiting.length) throw new Error(`${broken.join(', ')}: ${reason}`);
      waiting = broken;
    }
  }
}

function plain(cell: unknown, type: string): string | number | null {
  if (cell === null) return null;
  if (type.startsWith('TIMESTAMP')) return new Date(`${cell}:00`.replace(' ', 'T')).toISOString();
  return type === 'VARCHAR' ? String(cell) : Number(cell);
}
