import { formatList, type Parameters, parameterOf, parseList, withParameter } from '../address.js';
import type { Context } from '../context.js';
import { h, newId, type Part, setAttribute, setChildren } from '../dom.js';
import { fromLocalField, toLocalField } from '../parts/zoned-time.js';
import type { ColumnJson, DatasetJson } from '../types.js';
import { aggregateControls } from './aggregate-controls.js';
import { textField } from './text-field.js';
import { withAggregate, withEvery, withLast, withRange } from './window.js';

const RECENT = ['10m', '1h', '6h', '1d', '7d', '30d'];
const STEPS = ['1m', '5m', '15m', '1h', '1d'];
const DURATION = /^[1-9]\d*(ms|s|m|h|d|w)$/;
const WHOLE_NUMBER = /^\d+$/;

interface Controls extends Part<Parameters> {
  /** The dataset's columns, once they are known. */
  describe(dataset: DatasetJson): void;
}

type Change = (parameters: Parameters, how: 'push' | 'replace') => void;

/** Time, step, aggregates, pivot, columns and limit of a window. Filters and order are set in the table's headers. */
export function windowControls(context: Context, onChange: Change): Controls {
  const { words } = context;
  let parameters: Parameters = [];
  const change = (next: Parameters, how: 'push' | 'replace' = 'push') => onChange(next, how);

  const time = timeControls(context, () => parameters, change);
  const every = textField(words.window.every, words.window.everyHint, STEPS, DURATION, (value) =>
    change(withEvery(parameters, value), 'replace'),
  );
  const limit = textField(words.window.limit, words.window.limitHint, [], WHOLE_NUMBER, (value) =>
    change(withParameter(parameters, 'limit', value), 'replace'),
  );
  const aggregates = aggregateControls(context, {
    aggregate: (value) => change(withAggregate(parameters, value), 'replace'),
    by: (value) => change(withParameter(parameters, 'by', value), 'replace'),
    fill: (value) => change(withParameter(parameters, 'fill', value)),
  });
  const pivot = pivotControls(context, (value) => {
    // The columns before the change are not those after it.
    const kept = withParameter(withParameter(parameters, 'columns', null), 'sort', null);
    change(withParameter(kept, 'pivot', value));
  });
  const columns = columnControls(context, (value) => change(withParameter(parameters, 'columns', value)));
  const reset = h(
    'button',
    { type: 'button', class: 'quiet', onclick: () => change([]) },
    words.window.reset,
  );
  const form = h(
    'form',
    {
      id: newId(),
      class: 'controls',
      'aria-label': words.window.title,
      onsubmit: (event: Event) => event.preventDefault(),
    },
    time.element,
    every.element,
    ...aggregates.elements,
    pivot.element,
    columns.element,
    limit.element,
  );
  // On a phone rows are shown first.
  form.hidden = matchMedia('(max-width: 46rem)').matches;
  const toggle = h(
    'button',
    {
      type: 'button',
      class: 'quiet toggle',
      'aria-controls': form.id,
      'aria-expanded': String(!form.hidden),
    },
    words.window.title,
  );
  toggle.addEventListener('click', () => {
    form.hidden = !form.hidden;
    setAttribute(toggle, 'aria-expanded', String(!form.hidden));
  });
  let described: DatasetJson | null = null;
  /** Pivot and columns are chosen of the dataset's columns, which aggregates do not have. */
  const describeColumns = (dataset: DatasetJson) => {
    pivot.describe(dataset);
    columns.describe(dataset);
    if (parameterOf(parameters, 'agg') === null) return;
    pivot.element.hidden = true;
    columns.element.hidden = true;
  };
  const element = h('section', { class: 'window' }, h('div', { class: 'window-head' }, toggle, reset), form);
  return {
    element,
    describe(dataset) {
      const hasTime = dataset.timeColumn !== null;
      time.element.hidden = !hasTime;
      every.element.hidden = !hasTime;
      described = dataset;
      describeColumns(dataset);
    },
    show(next) {
      const wasAggregated = parameterOf(parameters, 'agg') !== null;
      parameters = next;
      time.show(next);
      every.show(parameterOf(next, 'every'));
      limit.show(parameterOf(next, 'limit'));
      aggregates.show(next);
      pivot.show(parameterOf(next, 'pivot'));
      columns.show(parameterOf(next, 'columns'));
      const isAggregated = parameterOf(next, 'agg') !== null;
      if (described !== null && isAggregated !== wasAggregated) describeColumns(described);
      reset.hidden = next.length === 0;
    },
  };
}

function timeControls(
  { words, timeZone }: Context,
  parameters: () => Parameters,
  change: (next: Parameters, how?: 'push' | 'replace') => void,
): Part<Parameters> {
  const presets = [null, ...RECENT].map((last) => ({
    last,
    button: h(
      'button',
      { type: 'button', onclick: () => change(withLast(parameters(), last)) },
      last === null ? words.window.always : words.window.recent(last),
    ),
  }));
  const other = textField(words.window.last, words.window.lastHint, [], DURATION, (value) =>
    change(withLast(parameters(), value), 'replace'),
  );
  const bound = (label: string) => {
    const id = newId();
    const field = h('input', { id, type: 'datetime-local', step: 'any' });
    const apply = () => {
      const [from, to] = [start.field, end.field].map(({ value }) =>
        value === '' ? null : new Date(fromLocalField(value, timeZone)).toISOString().replace('.000Z', 'Z'),
      );
      change(withRange(parameters(), from!, to!), 'replace');
    };
    field.addEventListener('change', apply);
    return { field, element: h('div', { class: 'field' }, h('label', { for: id }, label), field) };
  };
  const start = bound(words.window.from);
  const end = bound(words.window.to);
  const element = h(
    'fieldset',
    { class: 'time' },
    h('legend', {}, words.window.time(timeZone)),
    h(
      'div',
      { class: 'segments', role: 'group', 'aria-label': words.window.last },
      ...presets.map(({ button }) => button),
    ),
    other.element,
    start.element,
    end.element,
  );
  return {
    element,
    show(next) {
      const last = parameterOf(next, 'last');
      const [from, to] = [parameterOf(next, 'from'), parameterOf(next, 'to')];
      for (const preset of presets) {
        const isPressed = preset.last === last && (last !== null || (from === null && to === null));
        setAttribute(preset.button, 'aria-pressed', String(isPressed));
      }
      other.show(last);
      for (const [value, { field }] of [
        [from, start],
        [to, end],
      ] as const) {
        const time = value === null ? Number.NaN : /^\d+$/.test(value) ? Number(value) : Date.parse(value);
        if (document.activeElement !== field)
          field.value = Number.isNaN(time) ? '' : toLocalField(time, timeZone);
      }
    },
  };
}

/** Time, step, aggregates, pivot, columns and limit of a window. Filters and order are set in the table's headers. */
function pivotControls({ words }: Context, onValue: (value: string | null) => void) {
  const names = h('select', { 'aria-label': words.window.pivotNames });
  const values = h('select', { 'aria-label': words.window.pivotValues });
  let shown: string | null = null;
  const apply = () => {
    if (names.value === '') onValue(null);
    else if (values.value !== '') onValue(`${names.value}:${values.value}`);
  };
  names.addEventListener('change', apply);
  values.addEventListener('change', apply);
  const element = h(
    'fieldset',
    { class: 'field pivot' },
    h('legend', {}, words.window.pivot),
    h('div', { class: 'pair' }, names, h('span', { 'aria-hidden': true }, '→'), values),
  );
  const show = (value: string | null) => {
    shown = value;
    // A column's name may have a colon: the pair that exists is meant.
    const pair = [...names.options].flatMap((name) =>
      [...values.options]
        .filter((one) => `${name.value}:${one.value}` === value)
        .map((one) => [name.value, one.value]),
    )[0];
    names.value = pair?.[0] ?? '';
    if (pair !== undefined) values.value = pair[1]!;
    values.disabled = names.value === '';
  };
  return {
    element,
    show,
    describe({ columns, timeColumn }: DatasetJson) {
      const others = (columns ?? []).filter(({ name }) => name !== timeColumn);
      const numbers = others.filter(({ type }) => type === 'number');
      const options = (list: readonly ColumnJson[]) =>
        list.map(({ name }) => h('option', { value: name }, name));
      setChildren(names, h('option', { value: '' }, words.window.noPivot), ...options(others));
      setChildren(values, ...options(numbers));
      element.hidden = timeColumn === null || numbers.length === 0 || others.length < 2;
      show(shown);
    },
  };
}

function columnControls({ words }: Context, onValue: (value: string | null) => void) {
  const list = h('ul');
  const summary = h('summary', {}, words.window.columns);
  const element = h('details', { class: 'columns menu' }, summary, list);
  let all: readonly string[] = [];
  let chosen: readonly string[] = [];

  const choose = (next: readonly string[]) => {
    const isAll = next.length === all.length && next.every((name, index) => name === all[index]);
    onValue(isAll || next.length === 0 ? null : formatList(next));
  };
  const earlier = (name: string) => {
    const at = chosen.indexOf(name);
    const next = [...chosen];
    next.splice(at - 1, 2, name, chosen[at - 1]!);
    choose(next);
  };
  const draw = () => {
    const focused = document.activeElement?.closest('li')?.dataset.column;
    const isButton = document.activeElement instanceof HTMLButtonElement;
    const items = [...chosen, ...all.filter((name) => !chosen.includes(name))].map((name) => {
      const box = h('input', { type: 'checkbox' });
      box.checked = chosen.includes(name);
      box.addEventListener('change', () =>
        choose(box.checked ? [...chosen, name] : chosen.filter((one) => one !== name)),
      );
      const up = h(
        'button',
        { type: 'button', class: 'quiet', title: words.window.earlier(name), onclick: () => earlier(name) },
        h('span', { 'aria-hidden': true }, '↑'),
        h('span', { class: 'visually-hidden' }, words.window.earlier(name)),
      );
      const item = h('li', {}, h('label', {}, box, name), box.checked && chosen[0] !== name && up);
      item.dataset.column = name;
      return item;
    });
    list.replaceChildren(...items);
    const item = items.find(({ dataset }) => focused !== undefined && dataset.column === focused);
    (
      item?.querySelector<HTMLElement>(isButton ? 'button' : 'input') ?? item?.querySelector('input')
    )?.focus();
    summary.textContent =
      chosen.length === all.length
        ? words.window.columns
        : words.window.someColumns(chosen.length, all.length);
  };
  const closeFromOutside = ({ target }: Event) => {
    if (target instanceof Node && target.isConnected && !element.contains(target)) element.open = false;
  };
  element.addEventListener('toggle', () => {
    if (element.open) document.addEventListener('click', closeFromOutside);
    else document.removeEventListener('click', closeFromOutside);
  });
  element.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    element.open = false;
    summary.focus();
  });
  let value: string | null = null;
  const show = (next: string | null) => {
    value = next;
    chosen = next === null ? all : parseList(next).filter((name) => all.includes(name));
    draw();
  };
  return {
    element,
    show,
    describe({ columns }: DatasetJson) {
      all = (columns ?? []).map(({ name }) => name);
      element.hidden = all.length < 2;
      show(value);
    },
  };
}
