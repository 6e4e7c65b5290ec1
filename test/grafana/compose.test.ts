import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { projectRoot } from '../../src/base/project.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { flavourNames, list, providersOf, read } from './provisioning.js';

interface Service {
  readonly extends?: unknown;
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly volumes?: readonly (
    | string
    | { readonly source?: string; readonly target: string; readonly type: string }
  )[];
  readonly ports?: readonly (string | { readonly host_ip?: string })[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly entrypoint?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: object;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly logging?: { readonly options?: { readonly 'max-size'?: string; readonly 'max-file'?: string } };
}

const files = ['docker-compose.yml', 'docker-compose.demo.yml', 'docker-compose.ha.yml'] as const;
const [base, demo, ha] = files.map(
  // Compose's own tag !reset is unknown to the parser.
  (name) => (parse(read(name), { logLevel: 'error' }) as { services: Record<string, Service> }).services,
);
const grafana = base!.grafana!;

test('the compose files pass the linter and the official schema', () => {
  const linted = spawnSync(
    process.execPath,
    [join(projectRoot, 'node_modules/dclint/bin/dclint.cjs'), '--max-warnings', '0', ...files],
    {
      cwd: projectRoot,
      encoding: 'utf8',
    },
  );
  assert.equal(linted.status, 0, linted.stdout + linted.stderr);
});

test('containers have minimal privileges, and restart by themselves', () => {
  for (const [name, service] of Object.entries(base!)) {
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(
      service.user !== undefined && !/^(0|root)/.test(service.user),
      `${name} runs as ${service.user}`,
    );
    assert.ok(service.tmpfs?.includes('/tmp'), `${name} cannot write to /tmp`);
    assert.equal(service.restart, 'unless-stopped', name);
    assert.ok(
      service.logging?.options?.['max-size'] && service.logging.options['max-file'],
      `${name}: log rotation`,
    );
    assert.ok(!('cap_add' in service) && !('privileged' in service), name);
  }
});

test('the demo needs no image but its own and Grafana', () => {
  assert.deepEqual(Object.keys(demo!).sort(), ['dynamo-csv', 'grafana']);
});

test('with a standby both services share everything, only the proxy is published, and Grafana asks it', () => {
  assert.deepEqual(Object.keys(ha!).sort(), ['dynamo-csv', 'grafana', 'proxy', 'standby']);
  const { standby, proxy } = ha!;
  assert.deepEqual(standby!.extends, { file: 'docker-compose.yml', service: 'dynamo-csv' });
  for (const service of [ha!['dynamo-csv']!, standby!]) {
    assert.deepEqual(service.environment, { ROLE: 'auto' });
    assert.deepEqual(service.ports, []);
  }
  assert.deepEqual(proxy!.ports, base!['dynamo-csv']!.ports);
  const [mounted] = proxy!.volumes!;
  assert.ok(typeof mounted === 'object' && existsSync(join(projectRoot, mounted.source!)));
  assert.match(read('deploy/proxy.caddyfile'), /dynamo-csv:8080 standby:8080/);
  assert.equal(ha!.grafana!.environment!.DYNAMO_CSV_URL, 'http://proxy:8080');
  assert.equal(ha!.grafana!.depends_on!.proxy!.condition, 'service_healthy');
  assert.equal(proxy!.read_only, true);
  assert.deepEqual(proxy!.cap_drop, ['ALL']);
  assert.ok(!/^(0|root)/.test(proxy!.user!));
});

test('the service is published to the loopback interface only', () => {
  for (const port of base!['dynamo-csv']!.ports!) assert.match(String(port), /^127\.0\.0\.1:/);
});

test('the folder that the service writes dashboards to is the one that Grafana reads as the folder Tables', () => {
  const mountOf = (service: Service, volume: string) =>
    service.volumes!.find((mount) => typeof mount === 'string' && mount.startsWith(`${volume}:`)) as string;
  const written = mountOf(base!['dynamo-csv']!, 'dashboards').split(':')[1];
  assert.equal(base!['dynamo-csv']!.environment!.GRAFANA_DASHBOARDS, written);
  // A new volume takes the owner and the mode of the image's folder.
  assert.match(read('Dockerfile'), new RegExp(`chmod 1777 [^\\n]*${written}\\b`));
  const [, target, mode] = mountOf(grafana, 'dashboards').split(':');
  assert.equal(mode, 'ro');
  for (const flavour of flavourNames) {
    const tables = providersOf(flavour).find(({ folder }) => folder === 'Tables')!;
    assert.equal(tables.options.path, target);
  }
});

test('images and plugins are pinned', () => {
  for (const service of [base, demo, ha].flatMap((file) => Object.values(file!))) {
    if (service.image !== undefined) assert.match(service.image, /:(\$\{[A-Z_]+:-)?\d+\.\d+\.\d+\}?$/);
  }
  for (const name of ['GRAFANA_CSV_PLUGIN_VERSION', 'GRAFANA_INFINITY_PLUGIN_VERSION']) {
    assert.match(grafana.environment![name]!, new RegExp(`^\\$\\{${name}:-\\d+\\.\\d+\\.\\d+\\}$`));
  }
});

test('each part waits until what it needs is healthy', () => {
  assert.equal(grafana.depends_on!['dynamo-csv']!.condition, 'service_healthy');
  assert.ok(grafana.healthcheck);
  assert.match(read('Dockerfile'), /^HEALTHCHECK /m);
});

/** Runs the entrypoint up to where Grafana would start, which prints what it would find in its environment. */
function startGrafana(environment: Record<string, string>) {
  const script = grafana
    .entrypoint![2]!.replaceAll('$$', '$')
    .replace(
      'exec /run.sh',
      'echo "started; sync $GF_PLUGINS_PREINSTALL_SYNC; async $GF_PLUGINS_PREINSTALL"',
    );
  const versions = { GRAFANA_CSV_PLUGIN_VERSION: '1.0.7', GRAFANA_INFINITY_PLUGIN_VERSION: '4.1.8' };
  return spawnSync('/bin/sh', ['-c', script], { env: { ...versions, ...environment }, encoding: 'utf8' });
}

test('Grafana refuses to start without an admin password, saying so', () => {
  const refused = startGrafana({ GF_SECURITY_ADMIN_PASSWORD: '' });
  assert.equal(refused.status, 78);
  assert.match(refused.stderr, /GRAFANA_ADMIN_PASSWORD is not set/);
  assert.match(startGrafana({ GF_SECURITY_ADMIN_PASSWORD: 'a password' }).stdout, /^started/);
  const file = { GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/password' };
  assert.match(startGrafana(file).stdout, /^started/);
  assert.match(grafana.environment!.GF_SECURITY_ADMIN_PASSWORD!, /^\$\{GRAFANA_ADMIN_PASSWORD:-\}$/);
});

const password = { GF_SECURITY_ADMIN_PASSWORD: 'a password' };

test('Grafana waits for the plugin that is used only: the other one may be unreachable, or removed', () => {
  const [csv, infinity] = ['marcusolsson-csv-datasource@1.0.7', 'yesoreyeram-infinity-datasource@4.1.8'];
  const started = (GRAFANA_DATASOURCE: string) => startGrafana({ ...password, GRAFANA_DATASOURCE }).stdout;
  assert.equal(started('csv'), `started; sync ${csv}; async ${infinity}\n`);
  assert.equal(started('infinity'), `started; sync ${infinity}; async ${csv}\n`);
});

test('from December 2026 on Grafana logs at start when support for the CSV plugin ends, if it is used', async (t) => {
  const folder = await temporaryFolder(t);
  const said = async (day: string, datasource: string) => {
    await writeFile(join(folder, 'date'), `#!/bin/sh\necho ${day}\n`, { mode: 0o755 });
    return startGrafana({ ...password, GRAFANA_DATASOURCE: datasource, PATH: folder }).stderr;
  };
  assert.equal(await said('20261130', 'csv'), '');
  assert.match(
    await said('20261201', 'csv'),
    /^The CSV plugin is supported until 2027-02-01\. Set GRAFANA_DATASOURCE=infinity .*\n$/,
  );
  assert.match(await said('20270131', 'csv'), /is supported until/);
  assert.match(await said('20270201', 'csv'), /^The CSV plugin has not been supported since 2027-02-01\. /);
  assert.equal(await said('20270201', 'infinity'), '');
});

test('the files that are mounted into Grafana exist, whichever flavour is chosen', () => {
  for (const flavour of flavourNames) {
    for (const volume of grafana.volumes!) {
      if (typeof volume === 'string') continue;
      // biome-ignore lint/suspicious/noTemplateCurlyInString: compose's variable
      const source = volume.source!.replace('${GRAFANA_DATASOURCE:-csv}', flavour);
      assert.ok(existsSync(join(projectRoot, source)), source);
    }
    assert.ok(existsSync(join(projectRoot, `grafana-provisioning/dashboards/${flavour}/fleet-now.json`)));
  }
  assert.match(
    read('grafana-provisioning/grafana.ini'),
    /^default_home_dashboard_path = .*\/dashboards\/fleet-now\.json$/m,
  );
});

test('every variable is in .env.example with a sentence, and in the documentation', () => {
  const example = read('.env.example');
  const documented = ['docs/grafana.md', 'docs/configuration.md'].map(read).join('\n');
  for (const name of variablesOf(files.map(read).join('\n'))) {
    if (name === 'HOME') continue;
    assert.match(example, new RegExp(`^# .{20,}\\n(?:# )?${name}=`, 'm'), `${name}: .env.example`);
    assert.ok(documented.includes(`\`${name}\``), `${name}: docs`);
  }
  for (const [, name] of example.matchAll(/^(?:# )?([A-Z_]+)=/gm)) {
    assert.ok(
      variablesOf(files.map(read).join('\n')).has(name!),
      `${name} is in .env.example, but nothing uses it`,
    );
  }
});

test('what the provisioning files take from the environment is given to Grafana', () => {
  const given = grafana.environment!;
  const folders = ['datasources', ...flavourNames.map((flavour) => `alerting/${flavour}`)];
  for (const folder of folders) {
    for (const name of list(`grafana-provisioning/${folder}`)) {
      if (name === 'templates.yaml') continue;
      for (const [, variable] of withoutComments(read(`grafana-provisioning/${folder}/${name}`)).matchAll(
        /\$([A-Z_]+)/g,
      )) {
        assert.ok(variable! in given, `${variable} in ${folder}/${name}`);
      }
    }
  }
});

/** Variables that compose replaces, and those that it passes on under their own name. */
function variablesOf(text: string): Set<string> {
  const replaced = [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map((match) => match[1]!);
  const passedOn = [...text.matchAll(/^ +([A-Z_]+):$/gm)].map((match) => match[1]!);
  return new Set([...replaced, ...passedOn].filter((name) => name !== 'VARIABLE'));
}

const withoutComments = (yaml: string) => yaml.replaceAll(/^\s*#.*$/gm, '');
