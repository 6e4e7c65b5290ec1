import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { describeError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Dataset } from '../datasets/dataset.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { Catalog } from './catalog.js';
import type { DamagedDays } from './damaged-days.js';
import type { Engine } from './engine.js';
import type { SelectParser } from './select-parser.js';
import { ViewAnswer } from './view-answer.js';
import { ViewContent } from './view-content.js';
import { ViewDataset } from './view-dataset.js';
import { type EngineViewText, readViewHead } from './view-file.js';
import { explainView, type ViewGraph } from './view-graph.js';

/** Valid names of views: those that need no escaping in a URL, as for tables. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/;

/** A folder of views. */
export interface ViewFolder {
  readonly dir: string;
  /** Names of the `.sql` files in it, in the order in which the views are registered. */
  readonly files: readonly string[];
  /** The folder's name, for display. */
  readonly shown: string;
}

/** One view's source text. */
export interface ViewText {
  readonly name: string;
  /** The file, for display. */
  readonly file: string;
  readonly sql: string;
}

export interface ViewsOptions {
  readonly registry: DatasetRegistry;
  readonly engine: Engine;
  readonly parser: SelectParser;
  readonly catalog: Catalog;
  readonly graph: ViewGraph;
  readonly damagedDays: DamagedDays;
  /** See `SqlOptions`. */
  readonly engineView?: (view: EngineViewText) => Promise<Dataset>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Adds views to the registry. They can be removed like any dataset. */
export class Views {
  readonly #options: ViewsOptions;

  constructor(options: ViewsOptions) {
    this.#options = options;
  }

  /**
   * Adds the views of a folder, and returns those that are computed here; call it when all other datasets are registered. A view that cannot be read, or that has the
   * name of another dataset, is skipped and logged.
   */
  async addFolder({ dir, files, shown }: ViewFolder): Promise<readonly ViewDataset[]> {
    const { logger, registry, engineView } = this.#options;
    const views: ViewDataset[] = [];
    for (const fileName of files) {
      const name = basename(fileName, '.sql');
      const file = join(shown, fileName);
      try {
        this.#requireFreeName(name);
        const text = { name, file, sql: await readFile(join(dir, fileName), 'utf8') };
        const head = readViewHead(text.sql);
        if (head.engine === null) views.push(await this.add(text));
        else if (engineView !== undefined) registry.add(await engineView({ ...text, head }));
      } catch (error) {
        logger.error({ view: file }, `this view is left out: ${describeError(error)}`);
      }
    }
    return views;
  }

  /** Adds a view. A broken one is registered too; its status has the reason. */
  async add(text: ViewText): Promise<ViewDataset> {
    const { parser, registry, graph, catalog } = this.#options;
    const { file, sql } = text;
    const parsed = await parser.parse(sql).catch((error: unknown) => explainView(file, error));
    const { view, answer } = this.#create(text);
    graph.add({ view, file, parsed, failure: () => answer.failure });
    catalog.set(view, answer);
    registry.add(view);
    return view;
  }

  #create(text: ViewText): { readonly view: ViewDataset; readonly answer: ViewAnswer } {
    const { graph, catalog, parser } = this.#options;
    const head = readViewHead(text.sql);
    const answer: ViewAnswer = new ViewAnswer({
      ...this.#options,
      ...text,
      declared: [...(head.timeColumn === null ? [] : [head.timeColumn]), ...head.keys],
      dayWise: (select) => parser.dayWise(select),
      lineage: () => graph.lineage(view),
      readAt: () => view.readAt(),
      after: catalog.dropped(text.name),
    });
    const content = new ViewContent(answer, this.#options);
    const view: ViewDataset = new ViewDataset({ ...this.#options, ...text, head, answer, content });
    return { view, answer };
  }

  /** Throws if a view cannot have that name. */
  #requireFreeName(name: string): void {
    const { registry } = this.#options;
    const taken = registry.list().find((dataset) => dataset.name.toLowerCase() === name.toLowerCase());
    if (taken !== undefined) throw new Error(`${taken.source} has its name; rename the file`);
    if (!NAME.test(name)) throw new Error('its name does not fit into a URL; rename the file');
  }
}
