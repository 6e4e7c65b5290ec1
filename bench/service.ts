/** The service in a separate process, started as in the image, observed through its HTTP API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { nodeFlags, projectRoot } from '../src/base/project.js';
import { LOCAL_AWS_ENVIRONMENT } from '../src/demo/local-aws.js';
import type { FleetEndpoints, FleetRequest } from './fleet-server.js';
import { Contender, IMAGE_ENVIRONMENT } from './harness.js';

const SERVER = join(projectRoot, 'dist', 'src', 'server.js');
const FLEET_SERVER = fileURLToPath(new URL('./fleet-server.js', import.meta.url));
/** Milliseconds between requests to `/readyz`. */
const LOOK_EVERY = 2;

/**
 * The fleet's own configuration file with another interval for its tables. `tablesOnly`: nothing is left in it but the
 * tables. Returns the path of the new file.
 */
export async function writeFleetConfig(
  folder: string,
  interval: string,
  tablesOnly = false,
): Promise<string> {
  const config = parse(await readFile(join(projectRoot, 'config', 'taxi-fleet.yaml'), 'utf8'));
  for (const [name, options] of Object.entries(config.tables)) {
    config.tables[name] = { ...(options as object), interval };
  }
  // Views and lookups default to folders next to the file, where there are none.
  if (tablesOnly) delete config.instances;
  else {
    config.views = join(projectRoot, 'config', 'views');
    config.lookups = join(projectRoot, 'config', 'lookups');
  }
  const path = join(folder, 'fleet.yaml');
  await writeFile(path, stringify(config));
  return path;
}

/** Starts the fleet for a service to poll. */
export async function startFleet(
  request: FleetRequest,
): Promise<{ readonly endpoints: FleetEndpoints; stop(): Promise<void> }> {
  const fleet = new Contender<FleetRequest, FleetEndpoints>(FLEET_SERVER, []);
  return { endpoints: await fleet.ask(request), stop: () => fleet.stop() };
}

export interface ServiceOptions {
  readonly config: string;
  readonly dataDir: string;
  readonly endpoints: FleetEndpoints;
}

export interface StartedService {
  /** Milliseconds from the process's start until `/readyz` answered with 200. */
  readonly readyAfter: number;
  readonly service: Service;
}

export class Service {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start({ config, dataDir, endpoints }: ServiceOptions): Promise<StartedService> {
    const before = performance.now();
    const child = spawn(process.execPath, [...nodeFlags, SERVER], {
      env: {
        ...process.env,
        ...LOCAL_AWS_ENVIRONMENT,
        ...endpoints,
        ...IMAGE_ENVIRONMENT,
        NODE_OPTIONS: '--enable-source-maps',
        CONFIG: config,
        DATA_DIR: dataDir,
        PORT: '0',
        HOST: '127.0.0.1',
        LOG_LEVEL: 'warn',
        API_TOKEN: '',
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`The service ended with code ${code}`);
    });
    died.catch(() => {});
    const [{ url }] = (await Promise.race([once(child, 'message'), died])) as [{ url: string }];
    const service = new Service(child, url);
    while (!(await fetch(`${url}/readyz`)).ok) await delay(LOOK_EVERY);
    return { readyAfter: performance.now() - before, service };
  }

  /** The body of a response and its duration in milliseconds. Rejects unless the status is 200. */
  async get(path: string): Promise<{ readonly body: string; readonly took: number }> {
    const before = performance.now();
    // On a persistent connection, like Grafana; the overhead of `fetch` would be close to a small response's time.
    const request = httpGet(this.url + path, { agent: this.#agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await text(response);
    const took = performance.now() - before;
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${body}`);
    return { body, took };
  }

  /** A dataset's version, from `GET /datasets`. */
  async version(dataset: string): Promise<string> {
    const { body } = await this.get('/datasets');
    const { datasets } = JSON.parse(body) as { datasets: { name: string; version: string }[] };
    return datasets.find(({ name }) => name === dataset)!.version;
  }

  /** Resident memory in bytes, and polls of the dataset that succeeded, from `/metrics`. */
  async metrics(dataset: string): Promise<{ readonly memory: number; readonly polls: number }> {
    const { body } = await this.get('/metrics');
    const value = (pattern: RegExp) => Number(pattern.exec(body)?.[1] ?? 0);
    return {
      memory: value(/^process_resident_memory_bytes (\S+)$/m),
      polls: value(
        new RegExp(`^dynamo_csv_polls_total\\{dataset="${dataset}",outcome="success"\\} (\\S+)$`, 'm'),
      ),
    };
  }

  /** Of the process: seconds of processor time, resident memory in bytes, and successful polls of all datasets. */
  async process(): Promise<{ readonly cpu: number; readonly memory: number; readonly polls: number }> {
    const { body } = await this.get('/metrics');
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
    const polls = body.matchAll(/^dynamo_csv_polls_total\{.*outcome="success"\} (\S+)$/gm);
    return {
      cpu: value('process_cpu_seconds_total'),
      memory: value('process_resident_memory_bytes'),
      polls: Array.from(polls, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0),
    };
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}
