import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { readPage } from './markdown.js';

/** docs/architecture.md is true to the tree. */

const page = readPage('docs/architecture.md');

const files = ['src', 'scripts', 'test', 'dashboards'].flatMap((folder) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map(
    (path) => `/${folder}/${path}`,
  ),
);

test('each file that it names exists', () => {
  const named = page.codeSpans.filter((code) => /^[\w/.-]+\.(ts|mjs|json|sql)$/.test(code));
  assert.ok(named.length > 30, `${named.length} files are named`);
  for (const file of named)
    assert.ok(
      files.some((path) => path.endsWith(`/${file}`)),
      file,
    );
});

test('its table of rooms is that of src/rooms.json', () => {
  const rooms = JSON.parse(readFileSync(join(projectRoot, 'src', 'rooms.json'), 'utf8'));
  const section = page.text.split(/^## /m).find((text) => text.startsWith('Rooms\n'))!;
  const rows = [...section.matchAll(/^\| `([\w/]+)` \| .* \| (.*) \|$/gm)].map(([, room, allowed]) => [
    room,
    [...allowed!.matchAll(/`([\w/]+)`/g)].map(([, name]) => name),
  ]);
  assert.deepEqual(rows, Object.entries(rooms));
});
