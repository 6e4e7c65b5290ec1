import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { readPage } from './markdown.js';

const pages = [
  'README.md',
  'README.ko.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(projectRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map(readPage);

for (const page of pages) {
  test(`${page.path}: each link and picture leads to a file and heading that are there`, () => {
    for (const target of [...page.links, ...page.images]) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
      assert.ok(existsSync(join(projectRoot, path)), `${target}: there is no ${path}`);
      if (anchor === undefined) continue;
      const anchors = readPage(path).headings.map((heading) => heading.anchor);
      assert.ok(anchors.includes(anchor), `${target}: ${path} has ${anchors.join(', ')}`);
    }
  });
}

test('each page of docs is linked from README.md, directly or indirectly', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    for (const link of readPage(path).links) {
      const file = normalize(join(dirname(path), link.split('#')[0]!));
      if (file.endsWith('.md') && existsSync(join(projectRoot, file))) reached.add(file);
    }
  }
  assert.deepEqual(
    pages.map(({ path }) => path).filter((path) => !reached.has(path)),
    [],
  );
});
