/**
 * The shapes of Grafana's provisioning files, as far as ours go, in JSON Schema: what Grafana would not know is an
 * error here, because Grafana either says nothing about it or does not start.
 * https://grafana.com/docs/grafana/v12.4/administration/provisioning/
 * https://grafana.com/docs/grafana/v12.4/alerting/set-up/provision-alerting-resources/file-provisioning/
 */

type Schema = Readonly<Record<string, unknown>>;

const text = { type: 'string', minLength: 1 };
const flag = { type: 'boolean' };
const whole = { type: 'integer', minimum: 0 };
const positive = { type: 'integer', minimum: 1 };
const duration = { type: 'string', pattern: '^[1-9][0-9]*(s|m|h|d|w)$' };
/** Up to 40 letters, digits, dashes or underscores. */
const uid = { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,40}$' };
const anything = { type: 'object' };
const list = (items: Schema): Schema => ({ type: 'array', items, minItems: 1 });

/** An object of these and no others; a name with a `?` at its end may be missing. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(properties);
  return {
    type: 'object',
    additionalProperties: false,
    required: entries.map(([name]) => name).filter((name) => !name.endsWith('?')),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
  };
}

const texts = { type: 'object', additionalProperties: { type: 'string' } };
const apiVersion = { const: 1 };
const orgId = { const: 1 };

export const dataSourcesFile = object({
  apiVersion,
  datasources: list(
    object({
      name: text,
      uid,
      type: text,
      orgId,
      access: { enum: ['proxy', 'direct'] },
      url: text,
      'isDefault?': flag,
      editable: flag,
      jsonData: anything,
      'secureJsonData?': texts,
    }),
  ),
});

export const dashboardsFile = object({
  apiVersion,
  providers: list(
    object({
      name: text,
      orgId,
      folder: text,
      folderUid: uid,
      type: { const: 'file' },
      disableDeletion: flag,
      allowUiUpdates: flag,
      updateIntervalSeconds: { type: 'integer', minimum: 10 },
      options: object({ path: text, foldersFromFilesStructure: flag }),
    }),
  ),
});

const state = { enum: ['NoData', 'Alerting', 'OK', 'KeepLast'] };

export const rulesFile = object({
  apiVersion,
  'deleteRules?': list(object({ orgId, uid })),
  groups: list(
    object({
      orgId,
      name: text,
      folder: text,
      interval: duration,
      rules: list(
        object({
          uid,
          title: { type: 'string', minLength: 1, maxLength: 190 },
          condition: text,
          for: duration,
          'keepFiringFor?': duration,
          noDataState: state,
          execErrState: { enum: ['Error', 'Alerting', 'OK', 'KeepLast'] },
          labels: texts,
          annotations: texts,
          data: list(
            object({
              refId: text,
              datasourceUid: uid,
              relativeTimeRange: object({ from: whole, to: whole }),
              model: { ...anything, required: ['refId', 'datasource'] },
            }),
          ),
        }),
      ),
    }),
  ),
});

export const contactPointsFile = object({
  apiVersion,
  contactPoints: list(
    object({
      orgId,
      name: text,
      receivers: list(object({ uid, type: text, settings: texts, disableResolveMessage: flag })),
    }),
  ),
});

const matcher = {
  type: 'array',
  items: [text, { enum: ['=', '!=', '=~', '!~'] }, { type: 'string' }],
  minItems: 3,
  additionalItems: false,
};
const timing = { 'group_wait?': duration, 'group_interval?': duration, 'repeat_interval?': duration };
const route = object({ receiver: text, 'group_by?': list(text), object_matchers: list(matcher), ...timing });

export const policiesFile = object({
  apiVersion,
  policies: list(object({ orgId, receiver: text, group_by: list(text), 'routes?': list(route), ...timing })),
});

export const templatesFile = object({
  apiVersion,
  templates: list(object({ orgId, name: text, template: text })),
});

const place = object({
  x: { type: 'integer', minimum: 0, maximum: 23 },
  y: whole,
  w: { type: 'integer', minimum: 1, maximum: 24 },
  h: positive,
});
const target = { ...anything, required: ['refId', 'datasource'] };
const panelProperties = {
  id: positive,
  type: text,
  'title?': text,
  'description?': text,
  'datasource?': object({ type: text, uid }),
  'targets?': list(target),
  gridPos: place,
  'interval?': duration,
  'timeFrom?': duration,
  'hideTimeOverride?': flag,
  'transparent?': flag,
  'repeatDirection?': { enum: ['h', 'v'] },
  'links?': { type: 'array', items: anything },
  'transformations?': list(object({ id: text, options: anything })),
  'options?': anything,
  'fieldConfig?': object({ defaults: anything, overrides: { type: 'array', items: anything } }),
};
const panel = object(panelProperties);
const row = object({
  id: positive,
  type: { const: 'row' },
  title: text,
  collapsed: flag,
  gridPos: place,
  panels: { type: 'array', items: panel },
});

/** A dashboard in the classic schema. */
export const dashboardFile = object({
  uid,
  title: text,
  description: text,
  tags: list(text),
  timezone: text,
  weekStart: { enum: ['monday', 'saturday', 'sunday'] },
  editable: flag,
  refresh: duration,
  time: object({ from: text, to: text }),
  graphTooltip: { enum: [0, 1, 2] },
  fiscalYearStartMonth: whole,
  schemaVersion: { const: 42 },
  version: positive,
  links: list(anything),
  templating: object({
    list: { type: 'array', items: { ...anything, required: ['name', 'type', 'current'] } },
  }),
  annotations: object({ list: { type: 'array' } }),
  panels: list({
    if: { properties: { type: { const: 'row' } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    then: row,
    else: panel,
  }),
});
