import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { startPageService } from '../support/page-service.js';

const LIMIT = 200_000;

test('the whole page is under 200 KB over the wire, and its parts may be kept for ever', async (t) => {
  const service = await startPageService(t, { datasets: [] });
  const page = await readFile(join(projectRoot, 'dist', 'web', 'index.html'), 'utf8');
  const parts = [...page.matchAll(/(?:src|href)="([^":]+\.(?:js|css))"/g)].map(([, name]) => name!);
  assert.equal(parts.length, 2);
  let size = page.length;
  for (const name of parts) {
    const response = await fetch(service + name);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('cache-control')!, /immutable/);
    size += Number(response.headers.get('content-length'));
  }
  assert.ok(size < LIMIT, `${size}`);
});
