import type { Random } from '../../src/demo/random.js';

/** What an attack is given: its own seeded chance, and what undoes it afterwards. */
export interface Arena {
  readonly random: Random;
  /** Short runs try fewer of everything. */
  readonly isShort: boolean;
  /** Runs when the attack is over, latest first. */
  after(undo: () => unknown): void;
}

/** What was done and seen, for the table at the end: `{ kills: 60, polls: 531 }`. */
export type Figures = Readonly<Record<string, string | number>>;

export interface Attack {
  readonly name: string;
  /** Attacks of one group are alike: a short run tries one of them, chosen by the seed. */
  readonly group?: string;
  /** Only in full runs: it takes long, or needs much memory. */
  readonly isLong?: true;
  /** Rejects when what must hold did not. */
  run(arena: Arena): Promise<Figures>;
}

/** Why an attack cannot be tried on this machine. */
export class NotHere extends Error {}
