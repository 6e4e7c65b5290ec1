import { test } from 'node:test';
import { withoutMoto } from '../../support/moto.js';

/** A second opinion on DynamoDB: all tests of `source.test.ts`, against moto's server. */
if (withoutMoto !== false) test('the DynamoDB source against moto', { skip: withoutMoto }, () => {});
else {
  process.env.DYNAMODB_EMULATOR = 'moto';
  await import('./source.test.js');
}
