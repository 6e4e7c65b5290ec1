import type { Closing } from '../base/closing.js';
import { Budget } from '../budget/budget.js';
import { Ledger } from '../budget/ledger.js';
import type { Files } from '../volume/files.js';
import { spendingFile } from '../volume/layout.js';
import type { Service } from './service.js';

/** The budgets of a service. */
export interface Budgets {
  readonly ledger: Ledger;
  /** Of the sources that the configuration names. */
  readonly named: Budget;
  /** Of the tables that are found. */
  readonly found: Budget;
  /** Whether the named ones have a limit. */
  readonly isNamedLimited: boolean;
}

/** Opens the ledger, and makes the budgets that the configuration describes. */
export async function openBudgets(
  { config, clock, logger }: Service,
  files: Files,
  closing: Closing,
): Promise<Budgets> {
  const path = spendingFile(config.dataDir);
  const ledger = await Ledger.open({ path, files, clock, logger });
  closing.add(() => ledger.close());
  const limited = (usdPerMonth: number, coversEverything: boolean) =>
    new Budget({ usdPerMonth, coversEverything, ledger, clock, logger });
  const everything = config.budget === null ? null : limited(config.budget, true);
  const own = config.discover?.budget ?? null;
  return {
    ledger,
    named: everything ?? unlimited(ledger, { clock, logger }),
    found: everything ?? limited(own ?? Number.POSITIVE_INFINITY, false),
    isNamedLimited: everything !== null,
  };
}

/** Without a limit: it counts what polls cost. */
export function unlimited(ledger: Ledger, { clock, logger }: Pick<Service, 'clock' | 'logger'>): Budget {
  return new Budget({
    usdPerMonth: Number.POSITIVE_INFINITY,
    coversEverything: false,
    ledger,
    clock,
    logger,
  });
}
