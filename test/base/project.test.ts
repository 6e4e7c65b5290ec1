import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeFlags, projectRoot } from '../../src/base/project.js';

test('the image starts Node with the same flags as npm start', async () => {
  const dockerfile = await readFile(join(projectRoot, 'Dockerfile'), 'utf8');
  const commands = Array.from(dockerfile.matchAll(/^CMD (\[.*\])$/gm), ([, list]) => JSON.parse(list!));
  assert.notEqual(nodeFlags.length, 0);
  assert.deepEqual(commands.at(-1), ['node', ...nodeFlags, 'dist/src/server.js']);
});
