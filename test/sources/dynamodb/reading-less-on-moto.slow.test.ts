import { test } from 'node:test';
import { withoutMoto } from '../../support/moto.js';

/** A second opinion on indexes, Queries, filters and `since`: the tests that run against dynalite, against moto's server. */
if (withoutMoto !== false) test('reading less against moto', { skip: withoutMoto }, () => {});
else {
  process.env.DYNAMODB_EMULATOR = 'moto';
  await import('./reading-less.test.js');
  await import('./since.test.js');
}
