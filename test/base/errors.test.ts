import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynamoCsvError, describeError } from '../../src/base/errors.js';

test('an error reads as one line: the sentence and what to do', () => {
  const error = new DynamoCsvError('CODE', 'the file\n is torn', { remedy: 'cut\r\nit off', status: 503 });
  assert.equal(error.line, 'the file is torn; cut it off');
  assert.equal(describeError(error), error.line);
  assert.equal(new DynamoCsvError('CODE', 'no remedy').line, 'no remedy');
});

test('any thrown value is described in one line', () => {
  assert.equal(describeError(new Error('two\nlines')), 'two lines');
  assert.equal(describeError(new TypeError()), 'TypeError');
  assert.equal(describeError('text'), 'text');
  assert.equal(describeError(undefined), 'undefined');
});
