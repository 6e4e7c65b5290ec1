import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatedFiles } from '../../dashboards/files.js';
import { flavourNames, list, read } from './provisioning.js';

const remedy = 'run `npm run dashboards` and commit what it writes';

test('the committed dashboards and alerts are what dashboards/ describes', () => {
  for (const [path, text] of generatedFiles()) {
    assert.equal(read(path), text, `${path} differs from dashboards/: ${remedy}`);
  }
});

test('no file is left over from an earlier description', () => {
  const generated = new Set(generatedFiles().keys());
  for (const kind of ['dashboards', 'alerting']) {
    assert.deepEqual(list(`grafana-provisioning/${kind}`), [...flavourNames]);
    for (const flavour of flavourNames) {
      const place = `grafana-provisioning/${kind}/${flavour}`;
      for (const name of list(place))
        assert.ok(generated.has(`${place}/${name}`), `${place}/${name}: ${remedy}`);
    }
  }
});
