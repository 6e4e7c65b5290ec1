import { type Static, Type } from 'typebox';
import { bytesOf, type Kind, milliseconds, parseDays, quoted } from '../options/kinds.js';
import { ByteSize, Days, Duration, defaultOf, words } from '../options/schema.js';
import { Region } from '../sources/aws/region.js';

const bucket: Kind = {
  what: 'the name of an S3 bucket',
  write: '3 to 63 lower-case letters, digits, "-" or "."',
  guess(value, written) {
    const plain = written.replace(/^s3:\/\//, '').replace(/\/.*$/, '');
    return plain !== written && /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(plain)
      ? plain
      : quoted(value, written);
  },
};

const prefix: Kind = {
  what: 'a prefix of keys',
  write: 'a folder such as fleet/',
  guess(value, written) {
    const plain = `${written.replace(/^\/+/, '').replace(/\/*$/, '')}/`;
    return /^[\w!.*'()/-]+\/$/.test(plain) ? plain : quoted(value, written);
  },
};

/** Where the data folder is kept a second time. */
export const ArchiveOptions = Type.Object(
  {
    bucket: Type.String({
      ...words({
        description: 'The S3 bucket. It must exist; turn its versioning on to be safe from mistakes.',
        examples: ['my-bucket'],
      }),
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
      pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
      kind: bucket,
    }),
    prefix: Type.Optional(
      Type.String({
        ...words({
          description: 'What the keys of its objects begin with. Each data folder needs its own.',
          default: '',
          examples: ['fleet/'],
        }),
        pattern: "^([A-Za-z0-9_!.*'()-]+/)*$",
        kind: prefix,
      }),
    ),
    region: Type.Optional(
      Region({
        description: 'The region of the bucket. By default the one that the AWS SDK finds.',
        examples: ['eu-central-1'],
      }),
    ),
    every: Type.Optional(
      Duration({
        description: 'How often what changed is uploaded: what is newer is lost with the disk.',
        default: '1m',
        examples: ['5m'],
      }),
    ),
    localDays: Type.Optional(
      Days({
        description:
          'How many local days of history stay in the data folder. Older sealed days are in the archive only, and fetched when they are needed. By default all stay.',
        examples: [90],
      }),
    ),
    cache: Type.Optional(
      ByteSize({
        description:
          'How much of the data folder fetched days may take. One query cannot read more of them than that.',
        default: '5GB',
        examples: ['500MB'],
      }),
    ),
  },
  {
    ...words({ description: 'A copy of the data folder in S3, from which another machine goes on.' }),
    additionalProperties: false,
  },
);

export interface ArchiveSettings {
  readonly bucket: string;
  readonly prefix: string;
  /** Null: the region that the AWS SDK finds. */
  readonly region: string | null;
  /** Milliseconds. */
  readonly every: number;
  /** Days that stay in the data folder; null: all. */
  readonly localDays: number | null;
  /** Bytes of fetched days. */
  readonly cache: number;
}

/** The options with every default applied; null: there is no archive. */
export function archiveSettings(options: Static<typeof ArchiveOptions> | undefined): ArchiveSettings | null {
  if (options === undefined) return null;
  const { properties } = ArchiveOptions;
  return {
    bucket: options.bucket,
    prefix: options.prefix ?? defaultOf(properties.prefix),
    region: options.region ?? null,
    every: milliseconds(options.every ?? defaultOf(properties.every)),
    localDays: parseDays(options.localDays),
    cache: bytesOf(options.cache ?? defaultOf(properties.cache)),
  };
}
