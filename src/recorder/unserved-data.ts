import type { Logger } from '../base/logger.js';
import type { Files } from '../volume/files.js';
import { namesWithState, stateFileOf } from './table-state.js';

/** A source as it is published now. */
export interface Published {
  readonly name: string;
  /** The source's title. */
  readonly source: string;
}

/**
 * Says which data of the volume nobody publishes any more: the published name of its source changed, or the source is not
 * in the configuration any more. All of it stays where it is.
 */
export async function warnAboutUnservedData(
  published: readonly Published[],
  { dataDir, files, logger }: { readonly dataDir: string; readonly files: Files; readonly logger: Logger },
): Promise<void> {
  const names = new Set(published.map(({ name }) => name));
  for (const name of await namesWithState(dataDir, files)) {
    if (names.has(name)) continue;
    // One that cannot be read tells nothing about anybody's data, and nobody needs it.
    const state = await stateFileOf(dataDir, name, files).readIfOurs();
    if (state === null) continue;
    const { source, datasets } = state;
    const now = published.find((one) => one.source === source)?.name;
    if (now === undefined) {
      logger.info(
        { datasets, source },
        `${name} is not in the configuration any more: its files stay, unserved`,
      );
      continue;
    }
    logger.warn(
      { datasets, source, now },
      `${source} was published as ${name} and is ${now} now: what was recorded as ${name} stays there, unserved, and ${now} has a history of its own; to go on with the old one, set as: ${name}`,
    );
  }
}
