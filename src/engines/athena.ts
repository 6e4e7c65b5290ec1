import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { clientOptions, prepareClient } from '../sources/aws/client.js';
import {
  engineRequestFailed,
  isPassing,
  queryFailed,
  queryTooLong,
  resultTooLarge,
  textRefused,
} from './errors.js';
import type { AthenaSettings } from './options.js';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  type ResultSet,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from './sdk.js';

/** A query's columns and rows as Athena prints them, and what it cost. */
export interface AthenaResult {
  readonly queryId: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly bytesScanned: number;
  /** Milliseconds that it ran in Athena. */
  readonly took: number;
}

/** Milliseconds until the first look at a query, and the most between two. */
const FIRST_LOOK = 500;
const LONGEST_WAIT = 5_000;
/** Athena's own limit for a SELECT: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
const LONGEST_QUERY = 30 * 60_000;
/** How often something is asked about a query that runs, `LONGEST_WAIT` apart, while AWS does not answer. */
const ATTEMPTS = 12;
/** Milliseconds for stopping a query that nobody waits for any more. */
const STOPPING = 2_000;
/** What a dataset may have of a result; views that DuckDB computes are kept up to the same number of rows. */
const MOST_ROWS = 200_000;
const MOST_BYTES = 64_000_000;
const PAGE = 1_000;
/** Requests at a time: each query makes one after the other. */
const MAX_SOCKETS = 4;

/** Runs queries in Amazon Athena. */
export class Athena {
  readonly #settings: AthenaSettings;
  readonly #clock: Clock;
  readonly #client: AthenaClient;

  constructor(settings: AthenaSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#client = new AthenaClient({
      ...(settings.region === null ? {} : { region: settings.region }),
      ...clientOptions({ maxSockets: MAX_SOCKETS, silence: 10_000 }),
    });
    prepareClient(this.#client);
  }

  /**
   * Runs one query to its end. When the signal aborts, or after 30 minutes, the query is stopped in Athena as well. Rejects
   * with `VIEW_BROKEN`, `ATHENA_QUERY_FAILED`, `ATHENA_TIMED_OUT`, `ATHENA_RESULT_TOO_LARGE`, or as a request to AWS does.
   * `file`: for errors. `onStarted`: called once the query costs something.
   */
  async run(
    sql: string,
    file: string,
    signal: AbortSignal,
    onStarted: () => void = () => undefined,
  ): Promise<AthenaResult> {
    const queryId = await this.#start(sql, file, signal);
    onStarted();
    try {
      const { Statistics } = await this.#ended(queryId, file, signal);
      return {
        queryId,
        ...(await this.#result(queryId, file, signal)),
        bytesScanned: Statistics?.DataScannedInBytes ?? 0,
        took: Statistics?.TotalExecutionTimeInMillis ?? 0,
      };
    } catch (error) {
      if (!isOfQuery(error)) await this.#stop(queryId);
      throw error;
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #start(sql: string, file: string, signal: AbortSignal): Promise<string> {
    const { workgroup, database, output } = this.#settings;
    const command = new StartQueryExecutionCommand({
      QueryString: sql,
      WorkGroup: workgroup,
      QueryExecutionContext: { Database: database },
      // A request whose answer was lost is sent again by the SDK, and starts no second query.
      ClientRequestToken: randomUUID(),
      ...(output === null ? {} : { ResultConfiguration: { OutputLocation: output } }),
    });
    try {
      return (await this.#client.send(command, { abortSignal: signal })).QueryExecutionId ?? '';
    } catch (error) {
      throw textRefused(file, error) ?? engineRequestFailed('athena:StartQueryExecution', error);
    }
  }

  async #ended(queryId: string, file: string, signal: AbortSignal): Promise<QueryExecution> {
    const deadline = this.#clock.now() + LONGEST_QUERY;
    for (let wait = FIRST_LOOK; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      await this.#clock.sleep(wait, signal);
      const execution = await this.#insist(() => this.#look(queryId, signal), signal);
      const { State = '', StateChangeReason = '', AthenaError } = execution.Status ?? {};
      if (State === 'SUCCEEDED') return execution;
      if (State === 'FAILED' || State === 'CANCELLED')
        throw queryFailed(file, State, StateChangeReason || (AthenaError?.ErrorMessage ?? ''));
      if (this.#clock.now() >= deadline) throw queryTooLong(file, LONGEST_QUERY);
    }
  }

  /** Asks again while AWS does not answer: a query that was started anew would cost the same again. */
  async #insist<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        if (attempt === ATTEMPTS || !isPassing(error)) throw error;
        await this.#clock.sleep(LONGEST_WAIT, signal);
      }
    }
  }

  async #look(queryId: string, signal: AbortSignal): Promise<QueryExecution> {
    try {
      const command = new GetQueryExecutionCommand({ QueryExecutionId: queryId });
      return (await this.#client.send(command, { abortSignal: signal })).QueryExecution ?? {};
    } catch (error) {
      throw engineRequestFailed('athena:GetQueryExecution', error);
    }
  }

  async #result(
    queryId: string,
    file: string,
    signal: AbortSignal,
  ): Promise<Pick<AthenaResult, 'columns' | 'rows'>> {
    const rows: (string | null)[][] = [];
    let columns: AthenaResult['columns'] = [];
    let bytes = 0;
    let token: string | undefined;
    do {
      const next = token;
      const page = await this.#insist(() => this.#page(queryId, next, signal), signal);
      if (token === undefined) columns = columnsOf(page.ResultSet);
      if (columns.length === 0) throw queryFailed(file, 'SUCCEEDED', 'the query has no columns');
      const found = (page.ResultSet?.Rows ?? []).map(({ Data = [] }) =>
        columns.map((_, index) => Data[index]?.VarCharValue ?? null),
      );
      // The first row of a SELECT has the names of the columns.
      rows.push(...(token === undefined && isHeader(found[0], columns) ? found.slice(1) : found));
      bytes += found.flat().reduce((sum, cell) => sum + (cell?.length ?? 0), 0);
      if (rows.length > MOST_ROWS || bytes > MOST_BYTES) throw resultTooLarge(file, MOST_ROWS, MOST_BYTES);
      token = found.length === 0 ? undefined : page.NextToken;
    } while (token !== undefined);
    return { columns, rows };
  }

  async #page(queryId: string, token: string | undefined, signal: AbortSignal) {
    const command = new GetQueryResultsCommand({
      QueryExecutionId: queryId,
      MaxResults: PAGE,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    try {
      return await this.#client.send(command, { abortSignal: signal });
    } catch (error) {
      throw engineRequestFailed('athena:GetQueryResults', error);
    }
  }

  /** Nobody pays for a query that nobody waits for; if that fails, Athena's own limits end it. */
  async #stop(queryId: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(STOPPING);
    const command = new StopQueryExecutionCommand({ QueryExecutionId: queryId });
    await this.#client.send(command, { abortSignal }).catch(() => undefined);
  }
}

/** Whether Athena has ended the query already. */
function isOfQuery(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'VIEW_BROKEN' || code === 'ATHENA_QUERY_FAILED' || code === 'ATHENA_RESULT_TOO_LARGE';
}

function columnsOf(result: ResultSet | undefined): AthenaResult['columns'] {
  const info = result?.ResultSetMetadata?.ColumnInfo ?? [];
  return info.map(({ Name = '', Type = 'varchar' }) => ({ name: Name, type: Type }));
}

function isHeader(row: readonly (string | null)[] | undefined, columns: AthenaResult['columns']): boolean {
  return row !== undefined && row.length > 0 && row.every((cell, index) => cell === columns[index]!.name);
}
