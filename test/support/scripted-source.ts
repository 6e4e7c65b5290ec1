import type { DynamoDbSourceOptions } from '../../src/sources/dynamodb/source.js';

/** How a table is read unless a test says otherwise: all of it, without any option. */
export const SCRIPTED_TABLE = {
  table: 'scripted',
  region: null,
  columns: [],
  only: null,
  rename: {},
  consistent: false,
  segments: 'auto',
  maxReadCapacity: null,
  maxPollMegabytes: null,
} as const satisfies Partial<DynamoDbSourceOptions>;
