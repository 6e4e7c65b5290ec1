import { type Static, Type } from 'typebox';
import { ArchiveOptions } from '../archive/options.js';
import { AthenaOptions } from '../engines/options.js';
import { Folder, words } from '../options/schema.js';
import { SourceOptions } from '../sources/index.js';
import { timeZone } from './time-zone.js';

/** The schema of the configuration file: the service's own options, and those of each kind of source. */
export const ConfigurationSchema = Type.Object(
  {
    data: Type.Optional(
      Folder({
        description:
          'The data folder, relative to this file. The environment variable `DATA_DIR` overrides it. By default `data` in the working directory.',
        examples: ['/var/lib/dynamo-csv'],
      }),
    ),
    timeZone: Type.Optional(
      Type.String({
        ...words({
          description: 'The time zone of days, hours and weeks: a name of the IANA time zone database.',
          default: 'UTC',
          examples: ['America/New_York'],
        }),
        minLength: 1,
        kind: timeZone,
      }),
    ),
    ...SourceOptions,
    archive: Type.Optional(ArchiveOptions),
    athena: Type.Optional(AthenaOptions),
    views: Type.Optional(
      Folder({
        description:
          'The folder of the views, one `.sql` file each, relative to this file. By default `views` beside this file, if it exists.',
        examples: ['views'],
      }),
    ),
    lookups: Type.Optional(
      Folder({
        description:
          'The folder of the lookups, one `.csv` file each, relative to this file. By default `lookups` beside this file, if it exists.',
        examples: ['lookups'],
      }),
    ),
  },
  {
    ...words({
      title: 'dynamo-csv',
      description: 'Which DynamoDB tables are published as CSV, and how.',
      synonyms: { tz: 'timeZone', folder: 'data', ec2: 'instances' },
    }),
    additionalProperties: false,
  },
);

/** The configuration file as it is written. */
export type ConfigurationFile = Static<typeof ConfigurationSchema>;
