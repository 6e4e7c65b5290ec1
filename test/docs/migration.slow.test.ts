import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/base/project.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The commands of docs/migration.md, run as they stand there against a service that took over the script's file. */

/** As the Python script left it: killed while it wrote the last line. */
const TORN = `counter_type,count,timestamp
dispatch,70,2025-02-14 09:30:00
pickup,50,2025-02-14 09:30:00
dispatch,71,2025-02-14 09:30:30
pickup,51,2025-02-14 09:3`;

/** What the service has by then: the same polls, later ones of a day that will be sealed, and of another. */
const RECORDED = `counter_type,count,timestamp
dispatch,70,2025-02-14T09:30:00.000Z
pickup,50,2025-02-14T09:30:00.000Z
dispatch,71,2025-02-14T09:30:30.000Z
dispatch,72,2025-02-14T09:31:00.123Z
pickup,52,2025-02-14T09:31:00.123Z
dispatch,3,2025-02-16T10:00:00.500Z
`;

test('the way back from the service to the script loses no row, doubles none, and glues no line', async (t) => {
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  for (const [path, text] of [
    ['data/flag-dynamodb.csv', RECORDED],
    ['data-before/flag-dynamodb.csv', TORN],
  ] as const) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const service = await startService(t, {
    config: 'tables: { flag-dynamodb: { log: true } }\n',
    dataDir,
    env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
  });
  const url = await service.url;
  await service.logged(({ msg }) => msg === 'sealed closed days');

  const page = await readFile(join(projectRoot, 'docs', 'migration.md'), 'utf8');
  const [, block] = /```sh\n(cd \/home\/ec2-user\nTIME=[^`]+)```/.exec(page)!;
  const script = block!.replace('/home/ec2-user', folder).replace('http://localhost:8080', url);
  await promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', script]);

  assert.equal(
    await readFile(join(folder, 'flag-dynamodb.csv'), 'utf8'),
    `counter_type,count,timestamp
dispatch,70,2025-02-14 09:30:00
pickup,50,2025-02-14 09:30:00
dispatch,71,2025-02-14 09:30:30
dispatch,72,2025-02-14 09:31:00
pickup,52,2025-02-14 09:31:00
dispatch,3,2025-02-16 10:00:00
`,
  );
});
