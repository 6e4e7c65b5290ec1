import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { Catalog } from './catalog.js';
import type { Engine } from './engine.js';
import type { SelectParser } from './select-parser.js';
import { ViewDataset } from './view-dataset.js';

export interface ViewsOptions {
  readonly dir: string;
  /** Names of the `.sql` files in it, in the order in which the views are to be there. */
  readonly files: readonly string[];
  /** How the folder is called to people. */
  readonly shown: string;
  readonly registry: DatasetRegistry;
  readonly engine: Engine;
  readonly parser: SelectParser;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Names that a view may have: those that fit into a URL, as for tables. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/**
 * Reads views of a folder and adds them to the registry. Call it when all other datasets
 * are there: a view that takes the name of one is left out, and the log says so.
 */
export async function openViews(options: ViewsOptions): Promise<readonly ViewDataset[]> {
  const { dir, files, shown, registry, parser, logger } = options;
  const views: ViewDataset[] = [];
  for (const fileName of files) {
    const name = basename(fileName, '.sql');
    const file = join(shown, fileName);
    const taken = registry.list().find((dataset) => dataset.name.toLowerCase() === name.toLowerCase());
    if (taken !== undefined || !NAME.test(name)) {
      const why = taken === undefined ? 'its name does not fit into a URL' : `${taken.source} has its name`;
      logger.error({ view: file }, `this view is left out: ${why}; rename the file`);
      continue;
    }
    const sql = await readFile(join(dir, fileName), 'utf8').catch((error: unknown) => {
      logger.error({ view: file }, `this view is left out: ${describeError(error)}`);
      return null;
    });
    if (sql === null) continue;
    const view = new ViewDataset({ ...options, name, file, sql });
    registry.add(view);
    views.push(view);
  }
  for (const view of views) await view.prepare(parser);
  const circles = views.map((view) => view.circle());
  for (const [index, circle] of circles.entries()) if (circle !== null) views[index]!.refuseCircle(circle);
  return views;
}
