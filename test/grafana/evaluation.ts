import { parseDuration } from '../../src/base/durations.js';
import { checkRule, labelSets } from './contract.js';
import type { Environment } from './plugins.js';
import { type FlavourName, groupsOf, type RuleJson, rulesOf } from './provisioning.js';

/** What Grafana makes of the rules and the service's answers over time, by the rules in docs/grafana.md. */

/** One alert: a label set of a rule. Times are milliseconds since the epoch. */
type State =
  | { readonly is: 'normal' }
  | { readonly is: 'pending'; readonly since: number }
  | { readonly is: 'firing' }
  /** Good again, but still firing while `keepFiringFor` lasts. */
  | { readonly is: 'recovering'; readonly since: number };

/** What one evaluation says of an alert. `keep`: it says nothing, and what was goes on. */
type Verdict = 'good' | 'bad' | 'keep';

interface Watched {
  readonly rule: RuleJson;
  readonly alerts: Map<string, State>;
  /** Evaluations in a row that had no row for the alert any more. */
  readonly missing: Map<string, number>;
}

/** So many evaluations without its row, and an alert is gone. */
const GONE_AFTER = 2;

/** The name of a rule's only alert when a query failed or had no row, before there was any. */
const NO_LABELS = '';

export class Alerting {
  /** Milliseconds between two evaluations. */
  readonly interval: number;
  readonly #flavour: FlavourName;
  readonly #watched: readonly Watched[];

  constructor(flavour: FlavourName) {
    this.interval = parseDuration(groupsOf(flavour)[0]!.interval)!;
    this.#flavour = flavour;
    this.#watched = rulesOf(flavour).map((rule) => ({ rule, alerts: new Map(), missing: new Map() }));
  }

  /** Evaluates every rule once, at that time. */
  async evaluate(environment: Environment, now: number): Promise<void> {
    for (const watched of this.#watched) {
      const verdicts = await this.#verdicts(watched, environment);
      for (const [alert, verdict] of verdicts) {
        const state = watched.alerts.get(alert) ?? { is: 'normal' };
        watched.alerts.set(alert, next(state, verdict, watched.rule, now));
      }
    }
  }

  /** The alerts that fire, as `rule` or `rule: labels`, in order. */
  get firing(): readonly string[] {
    const names = this.#watched.flatMap(({ rule, alerts }) =>
      [...alerts]
        .filter(([, { is }]) => is === 'firing' || is === 'recovering')
        .map(([labels]) => (labels === NO_LABELS ? rule.uid : `${rule.uid}: ${labels}`)),
    );
    return names.sort();
  }

  async #verdicts(watched: Watched, environment: Environment): Promise<Map<string, Verdict>> {
    const { rule } = watched;
    let numbers: ReadonlyMap<string, number | null>;
    try {
      const asking = { flavour: this.#flavour, environment, isNew: true };
      numbers = labelSets(await checkRule(rule, asking));
    } catch {
      return forAll(watched, rule.execErrState);
    }
    if (numbers.size === 0) return forAll(watched, rule.noDataState);
    const verdicts = new Map<string, Verdict>();
    for (const [labels, number] of numbers) {
      verdicts.set(labels, number === null ? this.#ofNothing(rule) : isBad(rule, number) ? 'bad' : 'good');
    }
    this.#forgetMissing(watched, numbers);
    return verdicts;
  }

  /** Nothing is normal with the CSV plugin, and no data with Infinity. */
  #ofNothing(rule: RuleJson): Verdict {
    return this.#flavour === 'csv' ? 'good' : verdictOf(rule.noDataState);
  }

  #forgetMissing({ alerts, missing }: Watched, rows: ReadonlyMap<string, unknown>): void {
    for (const alert of alerts.keys()) {
      const times = rows.has(alert) ? 0 : (missing.get(alert) ?? 0) + 1;
      missing.set(alert, times);
      if (times >= GONE_AFTER) alerts.delete(alert);
    }
  }
}

/** A query without an answer is about every alert that the rule has. */
function forAll({ alerts }: Watched, state: string): Map<string, Verdict> {
  const known = alerts.size === 0 ? [NO_LABELS] : [...alerts.keys()];
  return new Map(known.map((alert) => [alert, verdictOf(state)]));
}

function verdictOf(state: string): Verdict {
  if (state === 'KeepLast') return 'keep';
  if (state === 'Alerting') return 'bad';
  if (state === 'OK') return 'good';
  throw new Error(`the test does not know the state ${state}`);
}

/** The threshold B, on A. */
function isBad({ data }: RuleJson, number: number): boolean {
  const { conditions } = data[1]!.model as {
    conditions: { evaluator: { type: string; params: number[] } }[];
  };
  const { type, params } = conditions[0]!.evaluator;
  const bound = params[0]!;
  switch (type) {
    case 'gt':
      return number > bound;
    case 'gte':
      return number >= bound;
    case 'lt':
      return number < bound;
    case 'lte':
      return number <= bound;
    default:
      throw new Error(`the test does not know the threshold ${type}`);
  }
}

function next(state: State, verdict: Verdict, rule: RuleJson, now: number): State {
  const waits = parseDuration(rule.for)!;
  const keeps = parseDuration(rule.keepFiringFor ?? '0s')!;
  switch (state.is) {
    case 'normal':
      if (verdict !== 'bad') return state;
      return waits === 0 ? { is: 'firing' } : { is: 'pending', since: now };
    case 'pending':
      if (verdict === 'good') return { is: 'normal' };
      return now - state.since >= waits ? { is: 'firing' } : state;
    case 'firing':
      if (verdict !== 'good') return state;
      return keeps === 0 ? { is: 'normal' } : { is: 'recovering', since: now };
    case 'recovering':
      if (verdict === 'bad') return { is: 'firing' };
      return now - state.since >= keeps ? { is: 'normal' } : state;
  }
}
