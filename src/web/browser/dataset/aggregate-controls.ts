import { type Parameters, parameterOf } from '../address.js';
import type { Context } from '../context.js';
import { h, newId } from '../dom.js';
import { textField } from './text-field.js';

const FUNCTIONS = 'avg|min|max|sum|count|first|last|median|p95|p99|stddev|distinct|increase|rate';
/** `avg:temperature,rows=count`. The service checks what stands in quotes. */
const AGGREGATES = new RegExp(`^(?:(?:[^,=]+=)?(?:count|(?:${FUNCTIONS}):[^,]+)(?:,(?=.)|$))+$|"`);
const FILLS = ['null', '0', 'previous'];

/** What to do when a value was chosen; null: none. */
interface Changes {
  readonly aggregate: (value: string | null) => void;
  readonly by: (value: string | null) => void;
  readonly fill: (value: string | null) => void;
}

/** `agg`, and where it is given `by`, and with steps `fill`. */
export function aggregateControls({ words }: Context, changes: Changes) {
  const aggregate = textField(
    words.window.aggregate,
    words.window.aggregateHint,
    [],
    AGGREGATES,
    changes.aggregate,
  );
  const by = textField(words.window.by, words.window.byHint, [], /./, changes.by);
  const id = newId();
  const fills = h(
    'select',
    { id },
    h('option', { value: '' }, words.window.noFill),
    ...FILLS.map((value) => h('option', { value }, value)),
  );
  fills.addEventListener('change', () => changes.fill(fills.value === '' ? null : fills.value));
  const fill = h('div', { class: 'field' }, h('label', { for: id }, words.window.fill), fills);
  return {
    elements: [aggregate.element, by.element, fill],
    show(parameters: Parameters) {
      const given = parameterOf(parameters, 'agg');
      aggregate.show(given);
      by.show(parameterOf(parameters, 'by'));
      by.element.hidden = given === null;
      fills.value = parameterOf(parameters, 'fill') ?? '';
      fill.hidden = given === null || parameterOf(parameters, 'every') === null;
    },
  };
}
