import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeFlags, projectRoot } from '../../src/base/project.js';

test('the image starts Node with the same flags as npm start', async () => {
  const dockerfile = await readFile(join(projectRoot, 'Dockerfile'), 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)!;
  assert.notEqual(nodeFlags.length, 0);
  assert.deepEqual(JSON.parse(entrypoint!), ['node', ...nodeFlags, 'dist/src/bin.js']);
});
