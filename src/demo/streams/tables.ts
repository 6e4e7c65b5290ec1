import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../base/clock.js';
import { invalid } from './failure.js';
import { type StreamTable, TableStream, VIEW_TYPES, type ViewType } from './stream.js';
import type { Body, StreamsApi } from './streams-api.js';
import type { Answer, Upstream } from './upstream.js';

interface StreamSpecification {
  readonly StreamEnabled?: boolean;
  readonly StreamViewType?: string;
}

interface TimeToLive {
  readonly attribute: string;
  /** Of the request that enabled it. */
  readonly headers: IncomingHttpHeaders;
}

interface Known {
  readonly table: StreamTable;
  /** The latest stream, which may be disabled; null: there was none. */
  stream: TableStream | null;
  ttl: TimeToLive | null;
}

/** What DynamoDB would know of its tables and the one behind the stand-in does not: streams and times to live. */
export class StreamTables {
  readonly #upstream: Upstream;
  readonly #streams: StreamsApi;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(upstream: Upstream, streams: StreamsApi, clock: Clock) {
    this.#upstream = upstream;
    this.#streams = streams;
    this.#clock = clock;
  }

  /** The enabled stream of a table, by its name or ARN; null: there is none. */
  streamOf(name: string): TableStream | null {
    const { stream = null } = this.#known.get(nameOf(name)) ?? {};
    return stream?.isEnabled === true ? stream : null;
  }

  /** The tables with a time to live. */
  get expiring(): readonly (TimeToLive & { readonly table: StreamTable })[] {
    return [...this.#known.values()].flatMap(({ table, ttl }) => (ttl === null ? [] : [{ ...ttl, table }]));
  }

  /** Answers an action on a table; null: it is one that DynamoDB can answer alone. Throws `DynamoDbFailure`. */
  answer(action: string, body: Body, headers: IncomingHttpHeaders): Promise<Answer> | null {
    switch (action) {
      case 'CreateTable':
        return this.#createTable(body, headers);
      case 'UpdateTable':
        return this.#updateTable(body, headers);
      case 'DescribeTable':
        return this.#described(action, body, headers);
      case 'DeleteTable':
        return this.#deleteTable(body, headers);
      case 'UpdateTimeToLive':
        return this.#updateTimeToLive(body, headers);
      case 'DescribeTimeToLive':
        return this.#describeTimeToLive(body, headers);
      default:
        return null;
    }
  }

  async #createTable(body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const { StreamSpecification: wanted, ...rest } = body;
    const viewType = viewTypeOf(wanted as StreamSpecification | undefined);
    const answer = await this.#upstream.send('CreateTable', rest, headers);
    if (answer.status !== 200 || viewType === null) return answer;
    this.#enable(this.#know(answer.body.TableDescription as Body), viewType);
    return this.#withStream(answer);
  }

  async #updateTable(body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const { StreamSpecification: wanted, ...rest } = body;
    if (wanted === undefined) return this.#described('UpdateTable', rest, headers);
    const { TableName, ...others } = rest;
    const { Table } = await this.#upstream.ask('DescribeTable', { TableName }, headers);
    const known = this.#know(Table as Body);
    const isEnabled = known.stream?.isEnabled === true;
    const viewType = viewTypeOf(wanted as StreamSpecification);
    if (viewType !== null && isEnabled)
      throw invalid(`Table already has an enabled stream: TableName: ${known.table.name}`);
    if (viewType === null && !isEnabled)
      throw invalid(`Table has no enabled stream: TableName: ${known.table.name}`);
    const answer =
      Object.keys(others).length === 0
        ? { status: 200, body: { TableDescription: Table } }
        : await this.#upstream.send('UpdateTable', rest, headers);
    if (answer.status !== 200) return answer;
    if (viewType === null) known.stream?.disable(this.#clock.now());
    else this.#enable(known, viewType);
    return this.#withStream(answer);
  }

  async #described(action: string, body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    return this.#withStream(await this.#upstream.send(action, body, headers));
  }

  async #deleteTable(body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const answer = this.#withStream(await this.#upstream.send('DeleteTable', body, headers));
    if (answer.status !== 200) return answer;
    const name = nameOf(body.TableName);
    this.#known.get(name)?.stream?.disable(this.#clock.now());
    this.#known.delete(name);
    return answer;
  }

  async #updateTimeToLive(body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const { TableName, TimeToLiveSpecification: wanted } = body;
    const { AttributeName, Enabled } = (wanted ?? {}) as { AttributeName?: string; Enabled?: boolean };
    if (AttributeName === undefined || Enabled === undefined)
      throw invalid('TimeToLiveSpecification needs AttributeName and Enabled');
    const { Table } = await this.#upstream.ask('DescribeTable', { TableName }, headers);
    const known = this.#know(Table as Body);
    if (Enabled === (known.ttl !== null))
      throw invalid(`TimeToLive is already ${Enabled ? 'enabled' : 'disabled'}`);
    known.ttl = Enabled ? { attribute: AttributeName, headers } : null;
    return { status: 200, body: { TimeToLiveSpecification: { AttributeName, Enabled } } };
  }

  async #describeTimeToLive(body: Body, headers: IncomingHttpHeaders): Promise<Answer> {
    const { ttl = null } = this.#known.get(nameOf(body.TableName)) ?? {};
    if (ttl === null) return this.#upstream.send('DescribeTimeToLive', body, headers);
    const TimeToLiveDescription = { AttributeName: ttl.attribute, TimeToLiveStatus: 'ENABLED' };
    return { status: 200, body: { TimeToLiveDescription } };
  }

  #know(description: Body): Known {
    const {
      TableName: name,
      TableArn: arn,
      KeySchema: keySchema,
    } = description as {
      TableName: string;
      TableArn: string;
      KeySchema: StreamTable['keySchema'];
    };
    const known = this.#known.get(name) ?? { table: { name, arn, keySchema }, stream: null, ttl: null };
    this.#known.set(name, known);
    return known;
  }

  #enable(known: Known, viewType: ViewType): void {
    // Its ARN is made of the time: it must be another one than that of the stream before.
    const now = Math.max(this.#clock.now(), (known.stream?.createdAt ?? 0) + 1);
    known.stream = new TableStream(known.table, viewType, now);
    this.#streams.add(known.stream);
  }

  /** The description of a table with its stream. */
  #withStream(answer: Answer): Answer {
    const place = answer.body.Table === undefined ? 'TableDescription' : 'Table';
    const description = answer.body[place] as Body | undefined;
    const { stream = null } = this.#known.get(String(description?.TableName)) ?? {};
    if (answer.status !== 200 || description === undefined || stream === null) return answer;
    const specification = { StreamEnabled: true, StreamViewType: stream.viewType };
    const described = {
      ...description,
      LatestStreamArn: stream.arn,
      LatestStreamLabel: stream.label,
      ...(stream.isEnabled ? { StreamSpecification: specification } : {}),
    };
    return { status: 200, body: { ...answer.body, [place]: described } };
  }
}

/** Null: the stream is to be disabled, or there is to be none. */
function viewTypeOf(wanted: StreamSpecification | undefined): ViewType | null {
  if (wanted?.StreamEnabled !== true) return null;
  const viewType = VIEW_TYPES.find((one) => one === wanted.StreamViewType);
  if (viewType === undefined)
    throw invalid('StreamSpecification needs a StreamViewType when StreamEnabled is true');
  return viewType;
}

/** Of a table's name or ARN. */
function nameOf(nameOrArn: unknown): string {
  return String(nameOrArn).split('/')[1] ?? String(nameOrArn);
}
