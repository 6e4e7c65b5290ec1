import { type Static, Type } from 'typebox';
import type { MistakeReport } from '../options/mistakes.js';
import {
  checkDiscover,
  type DiscoverConfig,
  DiscoverOption,
  discoverConfig,
  Tables,
  Usd,
} from './dynamodb/discover.js';
import { tables } from './dynamodb/kind.js';
import { instances } from './ec2/kind.js';
import type { ConfiguredSource, OpenedSource, SourceContext, SourceKind } from './kind.js';
import { SharedResources } from './shared-resources.js';

/** The kinds of sources, in the order of the catalogue. A new kind is one line here. */
const SOURCE_KINDS = [tables, instances] as const;

type Kind = (typeof SOURCE_KINDS)[number];

/** What the configuration has of each kind: `tables`, `instances`. */
export type SourceSettings = { readonly [K in Kind as K['key']]: ReturnType<K['settings']> } & {
  /** Which tables are found by name; null: none. */
  readonly discover: DiscoverConfig | null;
  /** The most that all reading may cost, in US dollars per month; null: no limit. */
  readonly budget: number | null;
};

/** The options of the configuration file that configure sources, for its schema. */
export const SourceOptions = {
  [tables.key]: Type.Optional(Tables),
  discover: Type.Optional(DiscoverOption),
  budget: Type.Optional(
    Usd(
      'The most that everything this service reads may cost in a month, in US dollars: intervals are chosen so that it suffices. By default there is no limit for the tables named under `tables`, and 5 for those found by `discover`.',
    ),
  ),
  [instances.key]: Type.Optional(instances.schema),
};

const KINDS: readonly SourceKind[] = SOURCE_KINDS;

/** The options by name as the file has them; those of other rooms are ignored. */
type FileOptions = {
  readonly [K in keyof typeof SourceOptions]?: Static<(typeof SourceOptions)[K]> | undefined;
};

/** What the file has under a kind's key: without the tables that are to be found. */
function optionsOf(file: FileOptions, key: Kind['key']): unknown {
  const given = file[key];
  return given === 'all' ? undefined : given;
}

/** The settings of every kind, all defaults applied. */
export function sourceSettings(file: FileOptions): SourceSettings {
  const budget = file.budget ?? null;
  return {
    ...Object.fromEntries(
      KINDS.map((kind) => [kind.key, kind.settings(optionsOf(file, kind.key as Kind['key']))]),
    ),
    discover: discoverConfig(file.tables, file.discover, budget),
    budget,
  } as unknown as SourceSettings;
}

/** Reports what is wrong between the options of each kind. */
export function checkSourceAgreement(file: FileOptions, report: MistakeReport): void {
  for (const kind of KINDS) kind.checkAgreement(optionsOf(file, kind.key as Kind['key']), report);
  checkDiscover(file.tables, file.discover, file.budget, report);
}

/** The sources that a configuration describes, in the order of the catalogue. */
export function configuredSources(settings: SourceSettings): readonly ConfiguredSource[] {
  return KINDS.flatMap((kind) => kind.configure(settings[kind.key as Kind['key']]));
}

/** A source that is open. */
export type OpenSource = ConfiguredSource & OpenedSource;

export interface OpenSources {
  /** Those of the configuration, in the order of the catalogue. */
  readonly list: readonly OpenSource[];
  /** Opens another one. */
  open(source: ConfiguredSource, context?: Pick<SourceContext, 'capacityShare'>): Promise<OpenSource>;
  close(): Promise<void>;
}

/** Opens the sources of a configuration. Nothing is asked of AWS yet. */
export async function openSources(
  settings: SourceSettings,
  context: Omit<SourceContext, 'shared'>,
): Promise<OpenSources> {
  const shared = new SharedResources();
  const all: OpenSource[] = [];
  const open: OpenSources['open'] = async (configured, more = {}) => {
    const opened = { ...configured, ...(await configured.open({ ...context, ...more, shared })) };
    all.push(opened);
    return opened;
  };
  const list = await Promise.all(configuredSources(settings).map((configured) => open(configured)));
  return {
    list,
    open,
    close: async () => {
      await Promise.all(all.map(({ source }) => source.close()));
      await shared.close();
    },
  };
}
