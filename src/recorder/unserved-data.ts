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
 * Logs data on the volume that is no longer published, because its source was renamed or removed from the configuration.
 * The files stay where they are.
 */
export async function warnAboutUnservedData(
  published: readonly Published[],
  { dataDir, files, logger }: { readonly dataDir: string; readonly files: Files; readonly logger: Logger },
): Promise<void> {
  const names = new Set(published.map(({ name }) => name));
  for (const name of await namesWithState(dataDir, files)) {
    if (names.has(name)) continue;
    const state = await stateFileOf(dataDir, name, files).readIfOurs();
    if (state === null) continue;
    const { source, datasets } = state;
    const now = published.find((one) => one.source === source)?.name;
    if (now === undefined) {
      logger.info(
        { datasets, source },
        `${name} is no longer in the configuration: its files stay, and are not served`,
      );
      continue;
    }
    logger.warn(
      { datasets, source, now },
      `${source} was published as ${name} and is now ${now}: the data recorded as ${name} stays, unserved, and ${now} has its own history; to continue the old one, set as: ${name}`,
    );
  }
}
