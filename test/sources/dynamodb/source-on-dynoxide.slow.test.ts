import { test } from 'node:test';
import { withoutDynoxide } from '../../support/dynoxide.js';

/** A third opinion on DynamoDB: all tests of `source.test.ts`, against dynoxide. */
if (withoutDynoxide !== false)
  test('the DynamoDB source against dynoxide', { skip: withoutDynoxide }, () => {});
else {
  process.env.DYNAMODB_EMULATOR = 'dynoxide';
  await import('./source.test.js');
}
