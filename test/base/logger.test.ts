import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/base/logger.js';

function logged(
  level: string,
  log: (logger: ReturnType<typeof createLogger>) => void,
): Record<string, unknown>[] {
  const lines: string[] = [];
  log(createLogger({ level, destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line));
}

test('a line has level, time and message in words', () => {
  const [line, ...others] = logged('info', (logger) => logger.info({ dataset: 'zones' }, 'poll done'));
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...line, time: null },
    { level: 'info', time: null, dataset: 'zones', msg: 'poll done' },
  );
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('lines below the level are not written', () => {
  const lines = logged('warn', (logger) => {
    logger.info('not this');
    logger.warn('this');
  });
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['this'],
  );
});

test('no line contains a secret, from any of the usual places', () => {
  const lines = logged('trace', (logger) => {
    logger.info({ req: { headers: { authorization: 'Bearer hush' } } }, 'request');
    logger.info({ headers: { authorization: 'Bearer hush' }, authorization: 'hush' }, 'headers');
    logger.info(
      { config: { apiToken: 'hush', port: 8080 }, apiToken: 'hush', token: 'hush' },
      'configuration',
    );
    logger.info({ env: { API_TOKEN: 'hush' }, credentials: { secretAccessKey: 'hush' } }, 'environment');
    logger.child({ token: 'hush' }).info('child');
  });
  assert.equal(lines.length, 5);
  assert.doesNotMatch(JSON.stringify(lines), /hush/);
  assert.match(JSON.stringify(lines), /"port":8080/);
});
