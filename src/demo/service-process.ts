import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { nodeFlags, projectRoot } from '../base/project.js';
import { demoServiceEnded } from './errors.js';

const SERVICE = join(projectRoot, 'dist', 'src', 'server.js');
const END_WITH_DEMO = new URL('./end-with-demo.js', import.meta.url).href;

/** The service stops within five seconds; after six it is killed. */
const PATIENCE = 6_000;
/** Milliseconds between requests to `/readyz`. */
const LOOK_EVERY = 100;

/** The service, as a process of its own. */
export interface ServiceProcess {
  /**
   * Resolves with the service's address (`http://127.0.0.1:8080`) once `/readyz` reports that every dataset has
   * data or an error. Rejects with `DEMO_SERVICE_ENDED` when the service exits first.
   */
  ready(signal: AbortSignal): Promise<string>;
  /** Resolves when it has exited. */
  readonly ended: Promise<Ended>;
  /** Sends SIGTERM and waits for the exit. */
  stop(): Promise<void>;
}

/** How a process ended: one of the two is null. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Starts the service as a user would, on this process's environment and `env`.
 *
 * It is a separate process because dynalite blocks the event loop during a Scan, and the service would have to wait. It
 * has its own process group, so that Ctrl-C reaches the demo only, which then stops one after the other.
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

/** The service sends its URL over the IPC channel. */
async function addressOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  const [{ url }] = (await once(child, 'message', { signal })) as [{ url: string }];
  return url;
}

/** False when nothing answers; `ended` reports an exit. */
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
