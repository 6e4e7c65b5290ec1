import { type Static, Type } from 'typebox';
import { type Kind, milliseconds, quoted, text } from '../../options/kinds.js';
import { Duration, defaultOf, PublishedName, words } from '../../options/schema.js';
import { Region } from '../aws/region.js';
import { Keep, type Keeping, keepingOf, Retention } from '../keeping.js';

const instanceId: Kind = { what: "an EC2 instance's id", write: 'one such as i-0123456789abcdef0' };

const tagValue: Kind = {
  what: "a tag's value",
  write: 'text, or a list of texts of which one must match',
  guess: quoted,
};

export const InstancesOptions = Type.Object(
  {
    ids: Type.Optional(
      Type.Array(Type.String({ pattern: '^i-([0-9a-f]{8}|[0-9a-f]{17})$', kind: instanceId }), {
        ...words({
          description: 'Instances by id. One that does not exist has a row with the state `missing`.',
          default: [],
          examples: [['i-0123456789abcdef0']],
        }),
        uniqueItems: true,
      }),
    ),
    tags: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([Type.String(), Type.Array(Type.String({ kind: tagValue }), { minItems: 1 })], {
          kind: tagValue,
        }),
        {
          ...words({
            description:
              'Instances by tag, in addition to those of `ids`: all tags must match, each with any one of its values; `*` matches any text.',
            default: {},
            examples: [{ Role: 'dispatch-api', Stage: ['production', 'staging'] }],
          }),
          keyKind: text,
        },
      ),
    ),
    regions: Type.Optional(
      Type.Array(Region({ description: 'An AWS region.' }), {
        ...words({
          description:
            'The AWS regions to look in. By default the one that the SDK finds (`AWS_REGION`, `~/.aws/config`, …).',
          examples: [['ap-northeast-2', 'us-east-1']],
        }),
        uniqueItems: true,
      }),
    ),
    interval: Type.Optional(
      Duration({
        description:
          'How often EC2 and CloudWatch are polled, from 100ms to 7d. CloudWatch bills each metric requested.',
        default: '60s',
        examples: ['5m'],
      }),
    ),
    as: Type.Optional(
      PublishedName({
        description: 'The published name; the log of all polls is called `<name>-log`.',
        default: 'api-server',
        examples: ['dispatch-server'],
      }),
    ),
    keep: Type.Optional(Keep),
    retention: Type.Optional(Retention),
  },
  {
    ...words({
      description: 'EC2 instances to watch: their state and their CloudWatch metrics as datasets.',
      synonyms: { name: 'as', alias: 'as', every: 'interval' },
    }),
    additionalProperties: false,
  },
);

export type InstancesOptions = Static<typeof InstancesOptions>;

/** The EC2 instances to watch: those of `ids`, and those that match all `tags`. Every default applied. */
export interface InstancesConfig extends Keeping {
  /** The published name of the snapshot; the log is called `<name>-log`. */
  readonly name: string;
  readonly ids: readonly string[];
  /** Accepted values by tag: all tags must match, each with any one of its values. */
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** Empty: the one that the SDK finds. */
  readonly regions: readonly string[];
  /** Milliseconds between the starts of two polls. */
  readonly interval: number;
}

const option = InstancesOptions.properties;

/** The options of `instances` with all defaults applied. */
export function instancesConfig(options: InstancesOptions): InstancesConfig {
  const tags = options.tags ?? defaultOf<Record<string, string>>(option.tags);
  return {
    name: options.as ?? defaultOf<string>(option.as),
    ids: options.ids ?? defaultOf<string[]>(option.ids),
    tags: Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, [value].flat()])),
    regions: options.regions ?? [],
    interval: milliseconds(options.interval ?? defaultOf<string>(option.interval)),
    ...keepingOf(options),
  };
}
