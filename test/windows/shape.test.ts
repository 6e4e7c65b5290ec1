import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseShape } from '../../src/windows/shape.js';
import { parametersOf } from './duckdb-table.js';

const shape = (query: string) => parseShape(parametersOf(query));

test('the shape is CSV with a header unless something else is asked for', () => {
  assert.deepEqual(shape('zone_id=4'), {
    format: 'csv',
    pad: false,
    nullText: '',
    header: true,
    delimiter: ',',
  });
  assert.deepEqual(shape('pad=1&null=null&header=false&delimiter=;&format=json'), {
    format: 'json',
    pad: true,
    nullText: 'null',
    header: false,
    delimiter: ';',
  });
  assert.equal(shape('delimiter=tab').delimiter, '\t');
  assert.equal(shape('delimiter=\\t').delimiter, '\t');
  assert.equal(shape('delimiter=%09').delimiter, '\t');
  assert.equal(shape('pad=0&pad=true').pad, true);
});

test('an invalid shape is refused', () => {
  assert.throws(() => shape('format=jsn'), {
    message: 'format: there is no format "jsn"',
    remedy: 'did you mean json?',
    status: 400,
  });
  assert.throws(() => shape('pad=yes'), {
    message: 'pad: "yes" is neither on nor off',
    remedy: 'write pad=1 or pad=0',
  });
  assert.throws(() => shape('header='), { code: 'BAD_PARAMETER' });
  for (const delimiter of ['', ';;', '%22', '%0A', '%0D']) {
    assert.throws(() => shape(`delimiter=${delimiter}`), { code: 'BAD_PARAMETER' }, delimiter);
  }
});
