import { type Static, Type } from 'typebox';
import { type Kind, quoted } from '../options/kinds.js';
import { defaultOf, words } from '../options/schema.js';
import { Region } from '../sources/aws/region.js';

const name = (what: string): Kind => ({ what, write: 'letters, digits, "_" or "-"', guess: quoted });

const output: Kind = {
  what: 'a place in S3',
  write: 'one such as s3://my-bucket/athena/',
  guess: (value, written) =>
    /^[a-z0-9][a-z0-9.-]+\//.test(written) ? `s3://${written}` : quoted(value, written),
};

const catalog: Kind = { what: 'a catalogue', write: 'glue', guess: () => 'glue' };

/** Where views with `-- engine: athena` run. */
export const AthenaOptions = Type.Object(
  {
    database: Type.String({
      ...words({ description: 'The database that the views name no other for.', examples: ['fleet'] }),
      // https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
      pattern: '^[a-z0-9_]{1,255}$',
      kind: { ...name('the name of a database'), write: 'lower-case letters, digits or "_"' },
    }),
    workgroup: Type.Optional(
      Type.String({
        ...words({
          description: 'The workgroup: its limit on bytes scanned applies to every view.',
          default: 'primary',
          examples: ['dynamo-csv'],
        }),
        pattern: '^[A-Za-z0-9._-]{1,128}$',
        kind: name('the name of a workgroup'),
      }),
    ),
    output: Type.Optional(
      Type.String({
        ...words({
          description: 'Where Athena writes results. By default where the workgroup says.',
          examples: ['s3://my-bucket/athena/'],
        }),
        pattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$',
        kind: output,
      }),
    ),
    region: Type.Optional(
      Region({
        description:
          'The region of Athena and Glue. By default that of the archive, or the one that the AWS SDK finds.',
        examples: ['eu-central-1'],
      }),
    ),
    catalog: Type.Optional(
      Type.Literal('glue', {
        ...words({
          description:
            "`glue`: the service makes the archive's tables in the Glue database, and keeps them as the datasets are. By default it makes none: `npm start -- ddl athena` prints them.",
          examples: ['glue'],
        }),
        kind: catalog,
      }),
    ),
  },
  {
    ...words({ description: 'Amazon Athena, for views that begin with `-- engine: athena`.' }),
    additionalProperties: false,
  },
);

export interface AthenaSettings {
  readonly database: string;
  readonly workgroup: string;
  /** Null: where the workgroup says. */
  readonly output: string | null;
  /** Null: the region that the AWS SDK finds. */
  readonly region: string | null;
  /** Whether the tables are kept in Glue. */
  readonly isCatalogKept: boolean;
}

/** The options with every default applied; null: there is no Athena. `archiveRegion`: null if there is none. */
export function athenaSettings(
  options: Static<typeof AthenaOptions> | undefined,
  archiveRegion: string | null,
): AthenaSettings | null {
  if (options === undefined) return null;
  return {
    database: options.database,
    workgroup: options.workgroup ?? defaultOf(AthenaOptions.properties.workgroup),
    output: options.output ?? null,
    region: options.region ?? archiveRegion,
    isCatalogKept: options.catalog === 'glue',
  };
}
