import { closest } from '../base/closest.js';
import type { TableDescription } from '../sources/dynamodb/table.js';
import type { Spool } from './spool.js';

/** Where progress is written: standard error. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Milliseconds between two states of the line on a terminal, and between two lines elsewhere. */
const ON_TERMINAL = 200;
const ELSEWHERE = 5_000;
const BAR = 20;

/**
 * How far a dump is: one line that changes on a terminal, a line every few seconds elsewhere. The table's own count, which
 * DynamoDB updates every six hours, says how much is left.
 */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #table: TableDescription;
  readonly #spool: Spool;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #itemsBefore: number;
  #shownAt: number;
  #width = 0;

  constructor(output: ProgressOutput, table: TableDescription, spool: Spool, now: () => number) {
    this.#output = output;
    this.#table = table;
    this.#spool = spool;
    this.#now = now;
    this.#startedAt = now();
    this.#itemsBefore = spool.items;
    this.#shownAt = output.isTTY === true ? 0 : this.#startedAt;
  }

  /** Call it whenever something was read. */
  update(): void {
    const now = this.#now();
    const { isTTY = false } = this.#output;
    if (now - this.#shownAt < (isTTY ? ON_TERMINAL : ELSEWHERE)) return;
    this.#shownAt = now;
    this.#show(this.#text(now));
  }

  /** The last state, or what became of it, in a line that stays. */
  end(text: string): void {
    this.#show(text);
    if (this.#output.isTTY === true) this.#output.write('\n');
  }

  #show(text: string): void {
    if (this.#output.isTTY !== true) return void this.#output.write(`${text}\n`);
    const line = text.slice(0, (this.#output.columns || 80) - 1);
    this.#output.write(`\r${line.padEnd(this.#width)}`);
    this.#width = line.length;
  }

  #text(now: number): string {
    const share = this.#share();
    const left = this.#left(share, now);
    const bar = '#'.repeat(Math.round((share ?? 0) * BAR)).padEnd(BAR, '.');
    return [
      this.#table.table,
      ...(share === null ? [] : [`[${bar}] ${Math.floor(share * 100)} %`]),
      summaryOf(this.#spool),
      ...(left === null ? [] : [`${shownDuration(left)} left`]),
    ].join('  ');
  }

  /** From 0 to 1; never 1 before the end, since the count may be old. Null: the count is not known. */
  #share(): number | null {
    const { items } = this.#table;
    return items === 0 ? null : Math.min(0.99, this.#spool.items / items);
  }

  /** Milliseconds left at the present rate. */
  #left(share: number | null, now: number): number | null {
    const read = this.#spool.items - this.#itemsBefore;
    const rate = read / Math.max(1, now - this.#startedAt);
    if (share === null || rate === 0 || now - this.#startedAt < 1_000) return null;
    return Math.max(0, this.#table.items - this.#spool.items) / rate;
  }
}

/** `12,345 items, 6.7 MB, 89.5 read units`; bytes are those of the CSV. */
export function summaryOf({ items, cost, size }: Pick<Spool, 'items' | 'cost' | 'size'>): string {
  const { readCapacityUnits } = cost;
  return [counted(items, 'item'), shownBytes(size), counted(readCapacityUnits, 'read unit')].join(', ');
}

/**
 * Which of the names of `--columns` and `--where` no item had so far, with what was probably meant, and what the user can do.
 * `known`: the columns that there are.
 */
export function unseenSoFar(names: readonly string[], items: number, known: readonly string[]): string {
  const guesses = names.map((name) => {
    const guess = closest(name, known);
    return guess === undefined
      ? JSON.stringify(name)
      : `${JSON.stringify(name)} (did you mean ${JSON.stringify(guess)}?)`;
  });
  return `No item of the first ${shownNumber(items)} has ${guesses.join(', ')}. Reading goes on, since a later one may; Ctrl-C ends it.`;
}

function shownBytes(size: number): string {
  if (size < 1e3) return `${size} B`;
  return size < 1e6 ? `${shownNumber(size / 1e3)} KB` : `${shownNumber(size / 1e6)} MB`;
}

const shownNumber = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });
const counted = (value: number, word: string) => `${shownNumber(value)} ${word}${value === 1 ? '' : 's'}`;

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function shownDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (milliseconds < 9_950) return `${shownNumber(milliseconds / 1_000)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
