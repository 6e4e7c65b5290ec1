/**
 * What Grafana itself says a dashboard is: the types of its package `@grafana/schema`, which its panels are written with,
 * for both versions that are promised. A name that they do not have is one that Grafana ignores.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';
import { type DashboardJson, type PanelJson, panelsOf } from './provisioning.js';

const VERSIONS = ['grafana-schema-12', 'grafana-schema-13'] as const;

/** Panels, by type, that have options of their own in the package, and those whose fields have, too. */
const PANELS = ['barchart', 'stat', 'table', 'timeseries'] as const;
const WITH_FIELDS: readonly string[] = ['barchart', 'table', 'timeseries'];
/** The types that are read. */
const NAMES = [
  'dashboard',
  'field',
  ...PANELS.map((panel) => `${panel}_options`),
  ...WITH_FIELDS.map((panel) => `${panel}_field`),
];
/** The package has no usable types for the options of these. */
const UNTYPED: readonly string[] = ['alertlist', 'geomap'];

/** What Grafana's own SDK or its editor writes, but the types lack: it is ignored. */
const IGNORED: readonly string[] = ['auto', 'auto_count', 'auto_min', 'definition', 'footer'];

interface Definition {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, object>>;
}

interface Override {
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

interface Checked {
  readonly version: string;
  /** The check of one of `NAMES`; null: there is no such type. */
  whole(name: string): ValidateFunction | null;
  /** The check of one property of a field: `unit`, or `custom.width` of a panel type; null: there is no such property. */
  property(panel: string, id: string): ValidateFunction | null;
}

/** Checks dashboards; made once, since reading the types takes some seconds. */
export class GrafanaSchemas {
  readonly #versions = VERSIONS.map(read);

  /** What is wrong with the dashboard, for each version. */
  mistakes(dashboard: DashboardJson): string[] {
    return this.#versions.flatMap((checked) => mistakesOf(checked, dashboard));
  }
}

function mistakesOf(checked: Checked, dashboard: DashboardJson): string[] {
  const list: string[] = [];
  const check = (validate: ValidateFunction | null, value: unknown, where: string) => {
    if (value === undefined) return;
    if (validate === null) list.push(`${checked.version}: ${where} is not known`);
    else if (!validate(value)) list.push(...explained(validate, `${checked.version}: ${where}`));
  };
  check(checked.whole('dashboard'), dashboard, 'dashboard');
  for (const panel of panelsOf(dashboard)) {
    const { type, title = '', fieldConfig } = panel;
    const name = `${type} ${title}`;
    if (UNTYPED.includes(type)) continue;
    check(checked.whole(`${type}_options`), panel.options, `${name} options`);
    check(checked.whole(`${type}_field`), fieldConfig?.defaults.custom, `${name} custom`);
    for (const { id, value } of overridden(panel)) check(checked.property(type, id), value, `${name} ${id}`);
  }
  return list;
}

function overridden({ fieldConfig }: PanelJson) {
  const overrides = (fieldConfig?.overrides ?? []) as readonly unknown[] as readonly Override[];
  return overrides.flatMap(({ properties }) => properties);
}

function explained({ errors }: ValidateFunction, where: string): string[] {
  return (errors ?? [])
    .filter(({ params }) => !IGNORED.includes(String(params.additionalProperty)))
    .map(
      ({ instancePath, message, params }) => `${where}${instancePath} ${message} ${JSON.stringify(params)}`,
    );
}

function read(version: string): Checked {
  const schemas = schemasOf(version);
  const ajv = new Ajv({ allErrors: true, strict: false });
  const whole = new Map(
    [...schemas].map(([name, { definitions, root }]) => [name, ajv.compile({ definitions, $ref: root })]),
  );
  const properties = new Map<string, ValidateFunction | null>();
  const propertyOf = (name: string, property: string): ValidateFunction | null => {
    const own = schemas.get(name);
    if (own === undefined) return null;
    const { definitions, root } = own;
    let found: Definition = { $ref: root };
    while (found.$ref !== undefined) found = definitions[found.$ref.replace('#/definitions/', '')]!;
    const schema = found.properties?.[property];
    return schema === undefined ? null : ajv.compile({ ...schema, definitions });
  };
  return {
    version,
    whole: (name) => whole.get(name) ?? null,
    property(panel, id) {
      const key = `${panel} ${id}`;
      const isOwn = id.startsWith('custom.');
      if (!properties.has(key))
        properties.set(
          key,
          isOwn ? propertyOf(`${panel}_field`, id.slice('custom.'.length)) : propertyOf('field', id),
        );
      return properties.get(key)!;
    },
  };
}

interface Schema {
  readonly definitions: Readonly<Record<string, Definition>>;
  /** The reference of the type itself. */
  readonly root: string;
}

/** The package's types as JSON Schema, by the names in `wantedTypes`. */
function schemasOf(version: string): Map<string, Schema> {
  const require = createRequire(import.meta.url);
  const types = join(dirname(require.resolve(`${version}/package.json`)), 'dist', 'types');
  const folder = mkdtempSync(join(tmpdir(), 'dynamo-csv-test-'));
  try {
    const path = join(folder, 'wanted.ts');
    const tsconfig = join(folder, 'tsconfig.json');
    writeFileSync(path, wantedTypes(types));
    const paths = { '@grafana/schema': [join(types, 'index.d.ts')] };
    const compilerOptions = { module: 'esnext', moduleResolution: 'bundler', strict: true, paths };
    writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: ['wanted.ts'] }));
    const options = { path, tsconfig, skipTypeCheck: true, additionalProperties: false, encodeRefs: false };
    const generator = createGenerator(options);
    // One by one: every panel calls its types Options and FieldConfig.
    return new Map(
      NAMES.map((name) => {
        const { definitions, $ref } = generator.createSchema(name);
        return [name, { definitions: definitions as Record<string, Definition>, root: $ref! }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function wantedTypes(types: string): string {
  const from = (...folders: string[]) => JSON.stringify(join(types, 'raw', ...folders, 'x', 'types.gen'));
  return [
    `import type { Dashboard, FieldConfig } from ${from('dashboard')};`,
    'export type dashboard = Dashboard;',
    'export type field = FieldConfig;',
    ...PANELS.flatMap((name) => [
      `import type * as ${name} from ${from('composable', name, 'panelcfg')};`,
      `export type ${name}_options = ${name}.Options;`,
      ...(WITH_FIELDS.includes(name) ? [`export type ${name}_field = ${name}.FieldConfig;`] : []),
    ]),
  ].join('\n');
}
