import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { projectRoot } from '../src/base/project.js';
import { generatedFiles } from './files.js';

/** `npm run dashboards`: writes what dashboards/ describes to grafana-provisioning/. */

const files = generatedFiles();
for (const [path, text] of files) {
  const target = join(projectRoot, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}
console.log(`${files.size} files written below grafana-provisioning/`);
