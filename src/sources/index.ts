import { Type } from 'typebox';
import type { MistakeReport } from '../options/mistakes.js';
import { tables } from './dynamodb/kind.js';
import { instances } from './ec2/kind.js';
import type { ConfiguredSource, OpenedSource, SourceContext, SourceKind } from './kind.js';
import { SharedResources } from './shared-resources.js';

/** The kinds of sources, in the order of the catalogue. A new kind is one line here. */
const SOURCE_KINDS = [tables, instances] as const;

type Kind = (typeof SOURCE_KINDS)[number];

/** What the configuration has of each kind: `tables`, `instances`. */
export type SourceSettings = { readonly [K in Kind as K['key']]: ReturnType<K['settings']> };

/** The options of the configuration file that configure sources, for its schema. */
export const SourceOptions = {
  [tables.key]: Type.Optional(tables.schema),
  [instances.key]: Type.Optional(instances.schema),
};

const KINDS: readonly SourceKind[] = SOURCE_KINDS;

/** The options by name as the file has them; those of other rooms are ignored. */
type FileOptions = Readonly<Record<string, unknown>>;

/** The settings of every kind, all defaults applied. */
export function sourceSettings(file: FileOptions): SourceSettings {
  return Object.fromEntries(
    KINDS.map((kind) => [kind.key, kind.settings(file[kind.key])]),
  ) as unknown as SourceSettings;
}

/** Reports what is wrong between the options of each kind. */
export function checkSourceAgreement(file: FileOptions, report: MistakeReport): void {
  for (const kind of KINDS) kind.checkAgreement(file[kind.key], report);
}

/** The sources that a configuration describes, in the order of the catalogue. */
export function configuredSources(settings: SourceSettings): readonly ConfiguredSource[] {
  return KINDS.flatMap((kind) => kind.configure(settings[kind.key as Kind['key']]));
}

export interface OpenSources {
  /** In the order of the catalogue. */
  readonly list: readonly (ConfiguredSource & OpenedSource)[];
  close(): Promise<void>;
}

/** Opens the sources of a configuration. Nothing is asked of AWS yet. */
export async function openSources(
  settings: SourceSettings,
  context: Omit<SourceContext, 'shared'>,
): Promise<OpenSources> {
  const shared = new SharedResources();
  const list = await Promise.all(
    configuredSources(settings).map(async (configured) => ({
      ...configured,
      ...(await configured.open({ ...context, shared })),
    })),
  );
  return {
    list,
    close: async () => {
      await Promise.all(list.map(({ source }) => source.close()));
      await shared.close();
    },
  };
}
