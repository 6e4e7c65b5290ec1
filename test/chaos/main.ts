/**
 * `npm run test:chaos [-- --short] [-- --seed N] [-- --only PATTERN]`: attacks the service as a process of its own, and
 * prints what held. Ends with 1 when something did not.
 */
import { parseArgs } from 'node:util';
import { describeError } from '../../src/base/errors.js';
import { Random, seedOf } from '../../src/demo/random.js';
import { type Arena, type Attack, type Figures, NotHere } from './attack.js';
import { damageAttacks, removeGolden } from './attacks/damage.js';
import { diskAttacks } from './attacks/disk.js';
import { endpointAttacks } from './attacks/endpoints.js';
import { killAttacks } from './attacks/kills.js';
import { requestAttacks } from './attacks/requests.js';

const ATTACKS: readonly Attack[] = [
  ...killAttacks,
  ...damageAttacks,
  ...diskAttacks,
  ...endpointAttacks,
  ...requestAttacks,
];

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    only: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed)) {
  console.error(`--seed ${values.seed}: not a whole number`);
  process.exit(64);
}

type Result = 'held' | 'FAILED' | 'skipped';

interface Outcome {
  readonly attack: Attack;
  readonly result: Result;
  readonly text: string;
  /** Seconds. */
  readonly took: number;
}

/** What undoes the attack under way: services to end, folders to remove. */
let undoing: (() => unknown)[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await undoAll();
    await removeGolden();
    process.exit(1);
  });
}

console.log(`chaos, ${values.short ? 'the short form' : 'all of it'}, seed ${seed}`);
const outcomes: Outcome[] = [];
for (const attack of chosen()) {
  const outcome = await tried(attack);
  console.log(lineOf(outcome));
  outcomes.push(outcome);
}
await removeGolden();
console.log(`\n${table(outcomes)}`);
if (outcomes.some(({ result }) => result === 'FAILED')) process.exitCode = 1;

/** The attacks of this run: in the short form one of each group, and none that is long. */
function chosen(): readonly Attack[] {
  const named = ATTACKS.filter(({ name }) => new RegExp(values.only).test(name));
  if (!values.short) return named;
  const random = new Random(seedOf(seed, 'chosen'));
  const one = new Map<string, Attack>();
  for (const attack of named.filter(({ isLong }) => isLong !== true)) {
    const rivals = named.filter(({ group }) => group !== undefined && group === attack.group);
    const winner = rivals.length === 0 ? attack : rivals[random.between(0, rivals.length - 1)]!;
    one.set(attack.group ?? attack.name, one.get(attack.group ?? '') ?? winner);
  }
  return [...one.values()];
}

async function tried(attack: Attack): Promise<Outcome> {
  const before = performance.now();
  const [result, text] = await run(attack);
  return { attack, result, text, took: Math.round((performance.now() - before) / 1_000) };
}

async function run(attack: Attack): Promise<[Result, string]> {
  const arena: Arena = {
    random: new Random(seedOf(seed, attack.name)),
    isShort: values.short,
    after: (step) => undoing.push(step),
  };
  try {
    return ['held', shownFigures(await attack.run(arena))];
  } catch (error) {
    if (error instanceof NotHere) return ['skipped', error.message];
    return ['FAILED', describeError(error).split('\n')[0]!];
  } finally {
    await undoAll();
  }
}

async function undoAll(): Promise<void> {
  const steps = undoing.reverse();
  undoing = [];
  for (const step of steps) await step();
}

function shownFigures(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
    .join(', ');
}

function lineOf({ attack, result, text, took }: Outcome): string {
  return `${result.padEnd(7)}  ${attack.name} (${took} s)  ${text}`;
}

/** As Markdown, for a note or a pull request. */
function table(outcomes: readonly Outcome[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').slice(0, 300);
  const lines = outcomes.map(
    ({ attack, result, text, took }) => `| ${attack.name} | ${result} | ${cell(text)} | ${took} |`,
  );
  return ['| attack | result | figures | seconds |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
