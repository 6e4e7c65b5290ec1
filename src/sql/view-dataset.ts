import type { Clock } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import { digest } from '../base/hash.js';
import { SerialQueue } from '../base/serial-queue.js';
import type { Column } from '../csv/rows.js';
import type {
  Content,
  Dataset,
  DatasetStatus,
  Definition,
  Freshness,
  Registry,
} from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { Relation } from '../datasets/relation.js';
import type { SqlColumn, SqlTable } from '../windows/compile/sql-table.js';
import { identifier } from '../windows/compile/sql-text.js';
import { AskedOnce } from './asked-once.js';
import type { Catalog } from './catalog.js';
import { columnOf } from './computed-columns.js';
import { encodeTable } from './encode-table.js';
import type { Engine } from './engine.js';
import { viewBroken, viewLacksColumn, viewReadsItself, viewReadsUnknown } from './errors.js';
import { withPrunedPartitions } from './partition-pruning.js';
import { readDuckDbError, SelectMistake } from './select-mistake.js';
import type { Select, SelectParser } from './select-parser.js';
import { NOW_STANDS, readTogether, type SqlDataset, syncAll } from './sql-dataset.js';
import { readViewHead } from './view-file.js';

/** A view that computes for longer than this, in milliseconds, is stopped: nobody waits for it any more. */
const LIMIT = 30_000;
/** Rows up to which a view's answer is kept; a larger one is computed for each question, with its filters inside. */
const MOST_KEPT_ROWS = 200_000;
/**
 * Milliseconds after which what failed is tried again although nothing that it reads has changed: memory may have been
 * short. Until then it takes no lane from others.
 */
const FAILURE_STANDS = 60_000;

const askedVersions = new AskedOnce<string | null>();
const askedStatuses = new AskedOnce<DatasetStatus>();

const FRESHNESS: readonly Freshness[] = ['fresh', 'late', 'stale', 'waiting'];

export interface ViewOptions {
  readonly name: string;
  /** The file as shown to people. */
  readonly file: string;
  readonly sql: string;
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly registry: Registry;
  readonly clock: Clock;
}

/** A computed answer. */
interface Kept {
  readonly state: string;
  readonly columns: readonly SqlColumn[];
  /** Null for one that is too large to be kept. */
  readonly rows: number | null;
  readonly readAt: number;
}

/**
 * A dataset computed by SQL. It is computed when it is asked for and one of its inputs has changed, into the table
 * `raw.<name>`; other views and windows read that table.
 */
export class ViewDataset implements Dataset, SqlDataset {
  readonly kind = 'view';
  readonly name: string;
  readonly source: string;
  readonly description: string | null;
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly #options: ViewOptions;
  readonly #turns = new SerialQueue();
  #select: Select | null = null;
  #inputs: readonly Dataset[] = [];
  #kept: Kept | null = null;
  #version: { readonly parts: readonly (string | null)[]; readonly digest: string } | null = null;
  #content: { readonly state: string; readonly content: Promise<Content> } | null = null;
  #sizes: { readonly rows: number; readonly bytes: number } | null = null;
  #broken: { readonly error: DynamoCsvError; readonly at: number; readonly state: string | null } | null =
    null;
  /** The broken SQL stays broken; a computation that failed is tried again. */
  #isBrokenForGood = false;

  constructor(options: ViewOptions) {
    const { description, timeColumn, keys } = readViewHead(options.sql);
    this.name = options.name;
    this.source = options.file;
    this.description = description;
    this.timeColumn = timeColumn;
    this.keys = keys;
    this.#options = options;
  }

  /** Takes the SQL apart and finds what it reads. Call it once, when all datasets are known. Never rejects. */
  async prepare(parser: SelectParser): Promise<void> {
    const { sql, catalog } = this.#options;
    try {
      this.#select = await parser.parse(sql);
      this.#inputs = this.#select.tables.map((table) => catalog.find(table));
    } catch (error) {
      this.#select = null;
      this.#isBrokenForGood = true;
      this.#failed(this.#explain(error));
    }
  }

  /** The names of views that lead from this one to itself, each reading the next; null: none do. After `prepare` of all. */
  circle(): readonly string[] | null {
    const seen = new Set<ViewDataset>();
    for (const input of this.#inputs) {
      const way = input instanceof ViewDataset ? input.#wayTo(this, seen) : null;
      if (way !== null) return [this.name, ...way];
    }
    return null;
  }

  /** Refuses to be computed, because of the circle that it is in. */
  refuseCircle(circle: readonly string[]): void {
    this.#isBrokenForGood = true;
    this.#inputs = [];
    this.#failed(viewReadsItself(this.source, circle));
  }

  get definition(): Definition {
    const { file, sql } = this.#options;
    return { file, sql, uses: this.#inputs.map(({ name }) => name).sort() };
  }

  get columns(): readonly Column[] | null {
    return this.#kept?.columns.map(({ column }) => column) ?? null;
  }

  get version(): string | null {
    return askedVersions.ask(this, () => this.#versionNow());
  }

  #versionNow(): string | null {
    if (this.#isBrokenForGood) return null;
    const versions = this.#inputs.map(versionInSql);
    if (versions.includes(null)) return null;
    const parts = [...versions, this.#slot()];
    // HTTP asks at every request, and mostly nothing has changed.
    if (!this.#version?.parts.every((part, index) => part === parts[index]))
      this.#version = { parts, digest: digest(parts) };
    return this.#version!.digest;
  }

  get state(): string {
    return this.#current.state;
  }

  status(): DatasetStatus {
    return askedStatuses.ask(this, () => this.#statusNow());
  }

  #statusNow(): DatasetStatus {
    const inputs = this.#inputs.map((input) => input.status());
    const worst = Math.max(0, ...inputs.map(({ freshness }) => FRESHNESS.indexOf(freshness)));
    // Without a view that it reads it cannot be computed either.
    const ofInput = inputs.find(({ lastError }) => lastError?.code === 'VIEW_BROKEN')?.lastError ?? null;
    const content = this.#sizes;
    return {
      rows: content?.rows ?? this.#kept?.rows ?? null,
      bytes: content?.bytes ?? null,
      readAt: this.#readAt(inputs),
      interval: null,
      freshness: FRESHNESS[worst]!,
      nextPollAt: null,
      persisted: true,
      lastError:
        this.#broken === null
          ? ofInput
          : { code: this.#broken.error.code, message: this.#broken.error.line, at: this.#broken.at },
    };
  }

  async content(): Promise<Content> {
    // Before: what changes while it is computed makes the next version.
    const version = this.version;
    await this.sync();
    const { state } = this.#current;
    if (this.#content?.state !== state) {
      const content = this.#encode(version ?? state);
      this.#content = { state, content };
      content.catch(() => {
        if (this.#content?.content === content) this.#content = null;
      });
    }
    const content = await this.#content.content;
    return version === null || content.version === version ? content : { ...content, version };
  }

  async sync(): Promise<void> {
    await this.#turns.run(() => this.#compute());
  }

  /** What it keeps is small, what it does not keep is other datasets' history. */
  readonly history = null;

  table(): SqlTable {
    const { columns } = this.#current;
    return { from: identifier(this.name), columns };
  }

  get #current(): Kept {
    if (this.#kept === null) throw datasetNotReadYet(this.name, this.status().lastError);
    return this.#kept;
  }

  async #compute(): Promise<void> {
    if (this.#isBrokenForGood) throw this.#broken!.error;
    const { catalog, clock } = this.#options;
    const tables = catalog.tables(this.#inputs);
    const inputs = await syncAll([...tables.values()]);
    const now = clock.now();
    const state = this.#stateOf(inputs, now);
    if (this.#kept?.state === state) return;
    const failed = this.#broken;
    if (failed?.state === state && now - failed.at < FAILURE_STANDS) throw failed.error;
    try {
      this.#kept = await this.#run(tables, now);
      this.#broken = null;
    } catch (error) {
      // The service ends, which is no mistake of the view's.
      if (error instanceof DOMException) throw error;
      throw this.#failed(this.#explain(error), state);
    }
  }

  async #run(tables: ReadonlyMap<string, SqlDataset>, now: number): Promise<Kept> {
    const select = this.#select!;
    const { sql } = select;
    const table = `raw.${identifier(this.name)}`;
    const view = identifier(this.name);
    return this.#options.engine.session({ lane: 'ours', limit: LIMIT, now }, async (session) => {
      const { state: inputs, withDays } = await withPrunedPartitions(session, select, tables);
      const readAt = this.#readAt(this.#inputs.map((input) => input.status())) ?? now;
      const [[count] = []] = await session.rows(
        `CREATE OR REPLACE TABLE ${table} AS ${withDays}SELECT * FROM (${sql}\n) LIMIT ${MOST_KEPT_ROWS + 1}`,
      );
      const computed = await session.describe(`SELECT * FROM ${table}`);
      const columns = computed.map(({ name, type }) => ({
        column: columnOf(name, type),
        expression: identifier(name),
        type,
      }));
      this.#checkHead(computed.map(({ name }) => name));
      const rows = Number(count) > MOST_KEPT_ROWS ? null : Number(count);
      await session.run(`CREATE OR REPLACE VIEW ${view} AS ${rows === null ? sql : `FROM ${table}`}`);
      if (rows === null) await session.run(`DROP TABLE ${table}`);
      await session.commit();
      return { columns, rows, state: this.#stateOf(inputs, now), readAt };
    });
  }

  /** What the leading comment names has to be there, or every window on it would fail. */
  #checkHead(columns: readonly string[]): void {
    const named = [...(this.timeColumn === null ? [] : [this.timeColumn]), ...this.keys];
    const missing = named.find((name) => !columns.includes(name));
    if (missing !== undefined) throw viewLacksColumn(this.source, missing);
  }

  async #encode(version: string): Promise<Content> {
    const { engine, clock } = this.#options;
    return engine.session({ lane: 'ours', limit: LIMIT, now: clock.now() }, async (session) => {
      await readTogether(session, [this]);
      const { readAt, columns } = this.#current;
      const { bytes, rows } = await encodeTable(session, this.table());
      this.#sizes = { rows, bytes: bytes.length };
      return { version, readAt, columns: columns.map(({ column }) => column), rows, bytes };
    });
  }

  /** The oldest of what it is computed from, lookups aside: they do not age. */
  #readAt(inputs: readonly DatasetStatus[]): number | null {
    const aging = inputs.filter((_, index) => this.#inputs[index]!.kind !== 'lookup');
    const times = aging.flatMap(({ readAt }) => readAt ?? []);
    if (times.length > 0) return Math.min(...times);
    return aging.length === 0 ? this.#options.clock.now() : null;
  }

  /** The state of an answer computed from inputs in this state at this time. */
  #stateOf(inputs: string, now: number): string {
    return digest([inputs, this.#slot(now)]);
  }

  /** What an answer that depends on "now" is good for; the empty text for others. */
  #slot(now = this.#options.clock.now()): string {
    return this.#select?.dependsOnNow === true ? String(Math.floor(now / NOW_STANDS)) : '';
  }

  #wayTo(target: ViewDataset, seen: Set<ViewDataset>): readonly string[] | null {
    if (this === target) return [this.name];
    if (seen.has(this)) return null;
    seen.add(this);
    for (const input of this.#inputs) {
      const way = input instanceof ViewDataset ? input.#wayTo(target, seen) : null;
      if (way !== null) return [this.name, ...way];
    }
    return null;
  }

  #explain(error: unknown): DynamoCsvError {
    const { file, registry } = this.#options;
    if (error instanceof SelectMistake) return viewBroken(file, error.place?.line ?? null, error.message);
    if (error instanceof DynamoCsvError && error.code === 'DATASET_UNKNOWN') {
      const name = /"(.*)"/.exec(error.message)?.[1] ?? '';
      return viewReadsUnknown(file, name, registry.closest(name));
    }
    if (error instanceof DynamoCsvError) return error;
    const { reason, place } = readDuckDbError(error);
    return viewBroken(file, place?.line ?? null, reason === '' ? describeError(error) : reason);
  }

  /** Remembers what is wrong; what only waits for its data is not broken. */
  #failed(error: DynamoCsvError, state: string | null = null): DynamoCsvError {
    if (error.code !== 'DATASET_NOT_READ_YET') this.#broken = { error, at: this.#options.clock.now(), state };
    return error;
  }
}

/** A dataset's version with its sealed days, which SQL reads too; null while nothing was read. */
function versionInSql(input: Dataset): string | null {
  const { version } = input;
  if (version === null || !('sealedDays' in input)) return version;
  const { sealedDays } = input as Relation;
  return `${version} ${sealedDays.length} ${sealedDays[0]?.date}`;
}
