import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { patientFetch } from '../support/patient-fetch.js';
import { startService } from '../support/service.js';

const program = 'demo/main.js';
const config = ''; // the demo has its own

describe('npm run demo', () => {
  it('says what to do next, and Ctrl-C leaves nothing but the data folder', async (t) => {
    const demo = await startService(t, { program, config, env: { LOG_LEVEL: '' } });
    const welcome = await demo.printed(/Ctrl-C ends it/);
    assert.doesNotMatch(welcome, /"level":/, 'nothing is wrong at a first start');
    const url = /Page +(http:\/\/[\d.:]+)\//.exec(welcome)![1]!;
    assert.match(welcome, new RegExp(`^Data folder  ${demo.dataDir}$`, 'm'));
    for (const row of [
      /^taxi-destination-dynamodb +snapshot +2,000 +\d+ s +http/m,
      /^zone-count-dynamodb +snapshot +69 +\d+ s +http/m,
      /^flag-dynamodb +log +[\d,]+ +\d+ s +http/m,
      /^api-server +snapshot +1 +\d+ s +http/m,
      /^orders +snapshot +\d+ +\d+ s +http/m,
      /^orders-changes +changes +\d+ +\d+ s +http/m,
      /^rides-today +view /m,
    ])
      assert.match(welcome, row);
    assert.match(welcome, /logs and changes, "rows" counts the CSV file only.*older days move to history\//);
    const command = /^Try +curl '(http[^']+)'$/m.exec(welcome)![1]!;
    const rides = await patientFetch(command);
    assert.equal(rides.status, 200);
    assert.match(await rides.text(), /^date,.*\n20/);
    const perDay = await (await patientFetch(`${url}/csv/rides-per-day`)).text();
    assert.ok(perDay.trim().split('\n').length > 28, perDay);
    const server = await (await patientFetch(`${url}/csv/api-server?columns=name,state`)).text();
    assert.equal(server, 'name,state\ndispatch-api,running\n');
    const updates = `${url}/csv/orders-changes?change=update&columns=status,previous_status&limit=1`;
    let update = '';
    while (update.split('\n').length < 3) {
      update = await (await patientFetch(updates)).text();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.match(update, /^status,previous_status\n(accepted,new|riding,accepted|paid,riding)\n$/);

    assert.deepEqual(await demo.end('SIGINT'), { code: 0, signal: null });
    assert.equal(demo.errors(), '');
    await assert.rejects(fetch(url), 'the service is gone too');
    assert.deepEqual((await readdir(dirname(demo.dataDir))).sort(), ['config.yaml', 'data']);
  });

  it('goes on from its folder, with the incident that is asked for, and ends with the service', async (t) => {
    const first = await startService(t, { program, config });
    await first.printed(/Ctrl-C ends it/);
    await first.end();
    const { dataDir } = first;
    const args = ['--incident', 'down'];
    const second = await startService(t, { program, config, dataDir, args });
    const url = /Page +(http:\/\/[\d.:]+)\//.exec(await second.printed(/Ctrl-C ends it/))![1]!;
    const server = await (await patientFetch(`${url}/csv/api-server?columns=name,state`)).text();
    assert.equal(server, 'name,state\ndispatch-api,stopped\n');
    // However the demo ends, its service ends too.
    await second.end('SIGKILL');
    while (await fetch(url).then(Boolean, () => false))
      await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it('names the signal that killed its service', async (t) => {
    const demo = await startService(t, { program, config });
    await demo.printed(/Ctrl-C ends it/);
    process.kill(await childOf(demo.process.pid!), 'SIGKILL');
    assert.equal((await demo.exit).code, 1);
    assert.match(demo.errors(), /^The service ended by SIGKILL; .*\n$/);
  });

  it('on a taken port says so in one line, before it writes anything', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    const demo = await startService(t, { program, config, env: { PORT: String(port) } });
    assert.equal((await demo.exit).code, 1);
    assert.equal(
      demo.errors(),
      `Another program listens on 127.0.0.1 port ${port}; stop it, or set PORT to another port\n`,
    );
    await assert.rejects(readdir(demo.dataDir));
  });

  it('names the incidents that there are', async (t) => {
    const demo = await startService(t, { program, config, args: ['--incident', 'fire'] });
    assert.equal((await demo.exit).code, 1);
    assert.match(demo.errors(), /^Unknown option "--incident fire"; use --incident cpu or .*\n$/);
  });

  it('--help prints what there is, and starts nothing', async (t) => {
    const demo = await startService(t, { program, config, args: ['--help'] });
    assert.equal((await demo.exit).code, 0);
    assert.match(demo.output(), /--incident <name> .*: cpu, network, down, unassigned\n/);
    assert.equal(demo.errors(), '');
    await assert.rejects(readdir(demo.dataDir));
  });
});

/** The only child process of a process. */
async function childOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
}
