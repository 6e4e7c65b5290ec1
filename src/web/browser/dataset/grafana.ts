import { formatQuery } from '../address.js';
import type { Context } from '../context.js';
import { debounce, h, newId, type Part, setAttribute, setChildren, setText } from '../dom.js';
import { copyButton } from '../parts/copy.js';
import { download } from '../parts/download.js';
import type { DatasetJson } from '../types.js';

const PLUGINS = ['csv', 'infinity'] as const;
const PLUGIN_NAMES = { csv: 'CSV', infinity: 'Infinity' } as const;
const ALERTS = ['stale', 'above', 'empty'] as const;
type Alert = (typeof ALERTS)[number];

interface Shown {
  readonly dataset: DatasetJson;
  /** URL of Grafana; null if it is not configured. */
  readonly grafana: string | null;
}

/** What Grafana can have of a dataset: its dashboard, and alerts to copy. The service makes both; the page shows them. */
export function grafanaPart(context: Context): Part<Shown> {
  const { api, words, announce } = context;
  let name = '';
  const open = h(
    'a',
    { class: 'button', hidden: true, target: '_blank', rel: 'noopener' },
    words.grafana.open,
  );
  const plugin = choice(words.grafana.plugin, PLUGINS, (one) => PLUGIN_NAMES[one]);
  const save = async () => {
    const url = `grafana/dashboards/${encodeURIComponent(name)}.json?datasource=${plugin.select.value}`;
    await download(api, url, `${name}.json`).catch((error: Error) => announce(error.message));
  };
  const dashboard = h(
    'button',
    { type: 'button', title: words.grafana.dashboardHint, onclick: () => void save() },
    words.grafana.dashboard,
  );
  const alert = alertPart(context, () => ({ name, plugin: plugin.select.value }));
  plugin.select.addEventListener('change', () => alert.load());
  const element = h(
    'section',
    { class: 'grafana', 'aria-label': words.grafana.title },
    h('h2', {}, words.grafana.title),
    h('div', { class: 'fields' }, open, dashboard, plugin.element),
    alert.element,
  );
  return {
    element,
    show({ dataset, grafana }) {
      name = dataset.name;
      open.hidden = grafana === null || dataset.grafanaPath === null;
      if (grafana !== null && dataset.grafanaPath !== null)
        setAttribute(open, 'href', new URL(dataset.grafanaPath, withSlash(grafana)).href);
      alert.show(dataset);
    },
  };
}

const withSlash = (url: string) => (url.endsWith('/') ? url : `${url}/`);

/** An alert and its file, which the service writes anew whenever something is changed. */
function alertPart(context: Context, asked: () => { readonly name: string; readonly plugin: string }) {
  const { api, words } = context;
  const kind = choice(words.grafana.when, ALERTS, (one) => words.grafana.alerts[one]);
  const older = text(words.grafana.older, '15m');
  const column = choice(words.grafana.column, [], (one: string) => one);
  const value = text(words.grafana.value, '100');
  const fields: Readonly<Record<Alert, readonly HTMLElement[]>> = {
    stale: [older.element],
    above: [column.element, value.element],
    empty: [],
  };
  const file = h('code');
  const failure = h('p', { class: 'error', hidden: true });
  const shown = h('pre', { tabindex: 0, 'aria-label': words.grafana.file }, file);
  const copy = copyButton(context, words.grafana.copyAlert, words.grafana.copyAlertHint, () =>
    shown.hidden ? null : file.textContent,
  );
  const details = h(
    'details',
    {},
    h('summary', {}, words.grafana.alert),
    h('div', { class: 'fields' }, kind.element, older.element, column.element, value.element, copy),
    failure,
    shown,
  );
  const parameters = (): [string, string][] => {
    const alert = kind.select.value as Alert;
    const { plugin } = asked();
    const own: Readonly<Record<Alert, [string, string][]>> = {
      stale: [['older', older.input.value || '15m']],
      above: [
        ['column', column.select.value],
        ['value', value.input.value || '100'],
      ],
      empty: [],
    };
    return [['alert', alert], ...own[alert], ['datasource', plugin]];
  };
  let latest = 0;
  const load = async () => {
    for (const alert of ALERTS) for (const field of fields[alert]) field.hidden = alert !== kind.select.value;
    if (!details.open) return;
    const mine = ++latest;
    const url = `grafana/alerts/${encodeURIComponent(asked().name)}.yaml${formatQuery(parameters())}`;
    const [yaml, error] = await api
      .fetch(url)
      .then(async (response) => [await response.text(), null] as const)
      .catch((thrown: Error) => [null, thrown.message] as const);
    if (mine !== latest) return;
    setText(file, yaml ?? '');
    setText(failure, error ?? '');
    shown.hidden = yaml === null;
    copy.disabled = yaml === null;
    failure.hidden = error === null;
  };
  const soon = debounce(() => void load());
  for (const { select } of [kind, column]) select.addEventListener('change', () => void load());
  for (const { input } of [older, value]) input.addEventListener('input', soon);
  details.addEventListener('toggle', () => void load());
  let known = '';
  return {
    element: details,
    load: () => void load(),
    show({ name, columns, keys }: DatasetJson) {
      const numbers = (columns ?? []).filter(
        ({ name: one, type }) => type === 'number' && !keys.includes(one),
      );
      const state = JSON.stringify([name, numbers]);
      if (state === known) return;
      known = state;
      setChildren(column.select, ...numbers.map(({ name: one }) => h('option', { value: one }, one)));
      void load();
    },
  };
}

function choice<Value extends string>(
  label: string,
  values: readonly Value[],
  word: (value: Value) => string,
) {
  const id = newId();
  const select = h('select', { id }, ...values.map((value) => h('option', { value }, word(value))));
  return { select, element: h('div', { class: 'field' }, h('label', { for: id }, label), select) };
}

function text(label: string, placeholder: string) {
  const id = newId();
  const input = h('input', { id, type: 'text', placeholder, size: 6, autocomplete: 'off' });
  return { input, element: h('div', { class: 'field' }, h('label', { for: id }, label), input) };
}
