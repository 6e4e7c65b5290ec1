import { chance } from './random.js';

/** What can go wrong in the demo. */
export const INCIDENTS = ['cpu', 'network', 'down', 'unassigned'] as const;
export type Incident = (typeof INCIDENTS)[number];

interface Episode {
  readonly incident: Incident;
  /** Milliseconds since the epoch; `to` is excluded. */
  readonly from: number;
  readonly to: number;
}

const MINUTE = 60_000;

/**
 * In minutes after the start: each incident happens once within ten minutes and lasts long enough for CloudWatch's
 * delay, a poll and an evaluation by Grafana. Those of the server follow one another.
 */
const OPENING: readonly (readonly [Incident, from: number, to: number])[] = [
  ['unassigned', 0.5, 4],
  ['cpu', -2, 2],
  ['network', 2, 5.25],
  ['down', 6, 9],
];

/** A requested incident began before the start, so that the first poll shows it; this is when, and how long it lasts. */
const ON_DEMAND = { before: 4 * MINUTE, after: 6 * MINUTE };

/** After the opening and in the past, each slot has one incident of the server. */
const SLOT = 40 * MINUTE;
const PAST_SLOT = 12 * 60 * MINUTE;
const OF_THE_SERVER = ['cpu', 'network', 'down'] as const;

/** The incident plan: a pure function of the seed, the start and the requested incident. */
export class IncidentPlan {
  readonly #seed: number;
  readonly #start: number;
  readonly #opening: readonly Episode[];
  readonly #openingEnd: number;

  /** `start`: when the demo started, milliseconds since the epoch; `wish`: the incident to start with. */
  constructor(seed: number, start: number, wish: Incident | null) {
    this.#seed = seed;
    this.#start = start;
    const opening = start + (wish === null ? 0 : ON_DEMAND.after);
    const wished =
      wish === null ? [] : [{ incident: wish, from: start - ON_DEMAND.before, to: start + ON_DEMAND.after }];
    this.#opening = [
      ...wished,
      ...OPENING.map(([incident, from, to]) => ({
        incident,
        from: opening + from * MINUTE,
        to: opening + to * MINUTE,
      })),
    ];
    this.#openingEnd = opening + 10 * MINUTE;
  }

  /** The episode of `incident` in progress at `time`, or null. */
  at(time: number, incident: Incident): { readonly from: number; readonly to: number } | null {
    const opened = this.#opening.find((episode) => covers(episode, time) && episode.incident === incident);
    if (opened !== undefined) return opened;
    if (time >= this.#start && time < this.#openingEnd) return null;
    const episode = this.#drawn(time);
    return covers(episode, time) && episode.incident === incident && !this.#meetsOpening(episode)
      ? episode
      : null;
  }

  /** The incident of the slot that contains `time`. */
  #drawn(time: number): Episode {
    const size = time < this.#start ? PAST_SLOT : SLOT;
    const slot = Math.floor(time / size);
    const draw = (what: string) => chance(this.#seed, 'incident', what, size, slot);
    const from = slot * size + Math.floor(draw('from') * (size - 8 * MINUTE));
    const incident = OF_THE_SERVER[Math.floor(draw('kind') * OF_THE_SERVER.length)]!;
    return { incident, from, to: from + 3 * MINUTE + Math.floor(draw('lasts') * 4 * MINUTE) };
  }

  #meetsOpening({ from, to }: Episode): boolean {
    return from < this.#openingEnd && to > this.#start - ON_DEMAND.before;
  }
}

function covers({ from, to }: Episode, time: number): boolean {
  return time >= from && time < to;
}
