import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { demoServiceEnded } from '../base/errors.js';
import { nodeFlags, projectRoot } from '../base/project.js';

const SERVICE = join(projectRoot, 'dist', 'src', 'server.js');
const END_WITH_DEMO = new URL('./end-with-demo.js', import.meta.url).href;

/** The service ends within five seconds; whatever keeps it longer keeps it no more after six. */
const PATIENCE = 6_000;
/** Milliseconds between two looks at `/readyz`. */
const LOOK_EVERY = 100;

/** The service, as a process of its own. */
export interface ServiceProcess {
  /**
   * Resolves with the service's address (`http://127.0.0.1:8080`) as soon as `/readyz` says that every dataset has data
   * or said why not. Rejects with `DEMO_SERVICE_ENDED` when it does not come up.
   */
  ready(signal: AbortSignal): Promise<string>;
  /** Resolves when it ended. */
  readonly ended: Promise<Ended>;
  /** Tells it to end, and waits until it has. */
  stop(): Promise<void>;
}

/** How a process ended: the other one is null. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Starts the service as a user would, on this process's environment and `env`.
 *
 * It is a process of its own because the database of the demo takes its time: an answer of the service would wait for
 * every Scan of dynalite beside it. It has a process group of its own too, so that Ctrl-C reaches the demo only, which
 * ends the one after the other.
 */
export function startService(env: Readonly<Record<string, string>>, clock: Clock): ServiceProcess {
  const child = spawn(process.execPath, [...nodeFlags, '--import', END_WITH_DEMO, SERVICE], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = once(child, 'exit').then(([code, signal]): Ended => ({ code, signal }));
  return {
    ready: (signal) => Promise.race([ready(child, clock, signal), ended.then(rejectEnded)]),
    ended,
    stop: () => stop(child, ended),
  };
}

async function ready(child: ChildProcess, clock: Clock, signal: AbortSignal): Promise<string> {
  const url = await addressOf(child, signal);
  while (!(await isReady(url))) await clock.sleep(LOOK_EVERY, signal);
  return url;
}

/** The service tells whoever started it with a channel where it listens. */
async function addressOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  const [{ url }] = (await once(child, 'message', { signal })) as [{ url: string }];
  return url;
}

/** An ended service answers nobody; that it ended is told otherwise. */
async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function rejectEnded(ended: Ended): never {
  throw serviceEnded(ended);
}

/** The error for a service that ended by itself, naming its exit code or the signal that killed it. */
export function serviceEnded({ code, signal }: Ended): Error {
  return demoServiceEnded(code === null ? `by ${signal}` : `with exit code ${code}`);
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}
