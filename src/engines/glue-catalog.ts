import { Archive } from '../archive/archive.js';
import type { ObjectStore } from '../archive/objects.js';
import { describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { clientOptions, prepareClient } from '../sources/aws/client.js';
import { athenaProperties, glueColumns } from './athena-table.js';
import { type EngineTable, engineTables } from './engine-table.js';
import { engineRequestFailed, glueTableTaken } from './errors.js';
import { historiesInArchive, leftOutSentence } from './histories.js';
import type { AthenaSettings } from './options.js';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  GetDatabaseCommand,
  GetTableCommand,
  GlueClient,
  type TableInput,
  UpdateTableCommand,
} from './sdk.js';

/** The parameter of a table by which this service knows its own; its value is the table's location. */
const OURS = 'dynamo-csv';
const INPUT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat';
const OUTPUT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat';
const SERDE = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';

/** Keeps a table for each dataset of the archive in a database of Glue, with the dataset's columns. */
export class GlueCatalog {
  readonly #database: string;
  readonly #objects: ObjectStore;
  readonly #logger: Logger;
  readonly #client: GlueClient;
  #failure: string | null = null;
  /** Datasets that were said to be left out. */
  #leftOut: ReadonlySet<string> = new Set();

  constructor({ database, region }: AthenaSettings, objects: ObjectStore, logger: Logger) {
    this.#database = database;
    this.#objects = objects;
    this.#logger = logger;
    this.#client = new GlueClient({
      ...(region === null ? {} : { region }),
      ...clientOptions({ maxSockets: 2, silence: 10_000 }),
    });
    prepareClient(this.#client);
  }

  /** Makes and changes tables so that they are as the archive's last point. Never rejects: failures are logged, each once. */
  async keep(signal: AbortSignal): Promise<void> {
    try {
      await this.#keepAll(signal);
      this.#failure = null;
    } catch (error) {
      const message = describeError(error);
      if (!signal.aborted && message !== this.#failure)
        this.#logger.error({ database: this.#database }, message);
      this.#failure = message;
    }
  }

  close(): void {
    this.#client.destroy();
    this.#objects.close();
  }

  async #keepAll(abortSignal: AbortSignal): Promise<void> {
    const archive = await Archive.find(this.#objects);
    const point = (await archive?.latest()) ?? null;
    if (archive === null || point === null) return;
    const { histories, leftOut } = await historiesInArchive(archive, point);
    this.#sayLeftOut(leftOut);
    const tables = engineTables(histories);
    if (tables.length > 0) await this.#keepDatabase(abortSignal);
    let taken: unknown = null;
    for (const table of tables) {
      try {
        await this.#keepTable(tableInput(table), abortSignal);
      } catch (error) {
        // A name that is taken keeps no other table from being made.
        if ((error as { readonly code?: unknown }).code !== 'GLUE_TABLE_TAKEN') throw error;
        taken = error;
      }
    }
    if (taken !== null) throw taken;
  }

  /** Each dataset once, and again if it was a table in between. */
  #sayLeftOut(datasets: readonly string[]): void {
    for (const dataset of datasets)
      if (!this.#leftOut.has(dataset)) this.#logger.warn({ dataset }, leftOutSentence(dataset));
    this.#leftOut = new Set(datasets);
  }

  async #keepDatabase(abortSignal: AbortSignal): Promise<void> {
    const Name = this.#database;
    const found = await this.#find('glue:GetDatabase', () =>
      this.#client.send(new GetDatabaseCommand({ Name }), { abortSignal }),
    );
    if (found !== null) return;
    const create = new CreateDatabaseCommand({ DatabaseInput: { Name } });
    await this.#ask('glue:CreateDatabase', () => this.#client.send(create, { abortSignal }));
  }

  async #keepTable(input: TableInput & { readonly Name: string }, abortSignal: AbortSignal): Promise<void> {
    const DatabaseName = this.#database;
    const { Name } = input;
    const found = await this.#find('glue:GetTable', () =>
      this.#client.send(new GetTableCommand({ DatabaseName, Name }), { abortSignal }),
    );
    const facts = { database: DatabaseName, table: Name };
    if (found === null) {
      const create = new CreateTableCommand({ DatabaseName, TableInput: input });
      await this.#ask('glue:CreateTable', () => this.#client.send(create, { abortSignal }));
      this.#logger.info(facts, 'made a table in Glue');
      return;
    }
    if (found.Table?.Parameters?.[OURS] !== input.Parameters?.[OURS])
      throw glueTableTaken(DatabaseName, Name);
    if (isSame(found.Table as TableInput, input)) return;
    const update = new UpdateTableCommand({ DatabaseName, TableInput: input });
    await this.#ask('glue:UpdateTable', () => this.#client.send(update, { abortSignal }));
    this.#logger.info(facts, 'changed a table in Glue');
  }

  /** Null: there is no such database or table. */
  async #find<T>(action: string, request: () => Promise<T>): Promise<T | null> {
    return this.#ask(action, () =>
      request().catch((error: Error) => {
        if (error.name === 'EntityNotFoundException') return null;
        throw error;
      }),
    );
  }

  async #ask<T>(action: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw engineRequestFailed(action, error);
    }
  }
}

function tableInput(table: EngineTable): TableInput & { readonly Name: string } {
  return {
    Name: table.name,
    Description: `Sealed days of ${table.dataset}, kept by dynamo-csv`,
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      [OURS]: table.location,
      ...athenaProperties(table),
    },
    PartitionKeys: [{ Name: table.day, Type: 'date' }],
    StorageDescriptor: {
      Columns: glueColumns(table),
      Location: `${table.location}/`,
      InputFormat: INPUT,
      OutputFormat: OUTPUT,
      SerdeInfo: { SerializationLibrary: SERDE, Parameters: { 'serialization.format': '1' } },
    },
  };
}

function isSame(found: TableInput, wanted: TableInput): boolean {
  const facts = ({ Parameters = {}, PartitionKeys = [], StorageDescriptor }: TableInput) => [
    Object.entries(wanted.Parameters ?? {}).map(([key]) => Parameters[key]),
    PartitionKeys.map(({ Name, Type }) => [Name, Type]),
    StorageDescriptor?.Columns?.map(({ Name, Type }) => [Name, Type]),
    StorageDescriptor?.Location,
  ];
  return JSON.stringify(facts(found)) === JSON.stringify(facts(wanted));
}
