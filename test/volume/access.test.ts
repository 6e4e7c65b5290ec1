import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainWriteFailure } from '../../src/volume/access.js';
import type { Files } from '../../src/volume/files.js';
import { VolatileDisk } from '../support/volatile-disk.js';

const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
const us = `${process.getuid!()}:${process.getgid!()}`;
const install = `install -d -o ${process.getuid!()} -g ${process.getgid!()}`;

/** A disk on which everything belongs to another user. */
function foreign(disk: VolatileDisk): Files {
  return Object.assign(Object.create(disk) as Files, {
    stat: async (path: string) => {
      const state = await disk.stat(path);
      return state === null ? null : { ...state, uid: 4711, gid: 4711 };
    },
  });
}

async function remedy(path: string, disk: VolatileDisk): Promise<string> {
  return String((await explainWriteFailure(path, foreign(disk), denied)).remedy);
}

test('a data folder that does not exist is to be made: no folder above it is given away', async () => {
  for (const [path, disk] of [
    ['/data', new VolatileDisk()],
    ['/srv/team/data', new VolatileDisk('/srv/team')],
    ['/srv/team/data', new VolatileDisk('/srv')],
  ] as const) {
    assert.match(await remedy(path, disk), new RegExp(`^run ${install} '${path}' as root`));
  }
});

test('a folder that we never worked on is not given away with all that is in it', async () => {
  const text = await remedy('/home/team', new VolatileDisk('/home/team'));
  assert.match(text, new RegExp(`^run ${install} '/home/team'`));
  assert.doesNotMatch(text, / -R /);
});

test('our own data folder is given back with all that is in it, and a file of another one alone', async () => {
  const ours = new VolatileDisk('/data', '/data/.dynamo-csv');
  assert.match(await remedy('/data', ours), new RegExp(`^run chown -R ${us} '/data' as root`));
  assert.match(await remedy('/data/flags.csv', ours), new RegExp(`^run chown -R ${us} '/data' as root`));
  const script = new VolatileDisk('/data');
  await (await script.open('/data/flags.csv', 'w+')).close();
  assert.match(
    await remedy('/data/flags.csv', script),
    new RegExp(`^run chown ${us} '/data/flags.csv' as root`),
  );
});
