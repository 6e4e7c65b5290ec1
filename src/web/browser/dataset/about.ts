import type { Context } from '../context.js';
import { h, type Part, setChildren } from '../dom.js';
import type { DatasetJson } from '../types.js';

/** What a dataset is: its columns, its SQL, what it is computed from and what uses it. */
export function about({ words, format, link }: Context): Part<DatasetJson> {
  const element = h('section', { class: 'about', 'aria-label': words.about.title });
  let shown = '';
  const links = (names: readonly string[]) =>
    h(
      'ul',
      { class: 'links' },
      names.map((name) =>
        h('li', {}, h('a', { href: link({ page: 'dataset', name, plot: null, parameters: [] }) }, name)),
      ),
    );
  const exceptions = ({ exceptions: all }: DatasetJson) =>
    all.map(({ column, problem, count, key, value }) =>
      h(
        'p',
        { class: 'quiet' },
        words.about.exception(column, format.number(count), problem, keyText(key), value),
      ),
    );
  const definition = (dataset: DatasetJson) => {
    const {
      definition: view,
      usedBy,
      columns,
      keys,
      timeColumn,
      sealedDays,
      cost,
      query,
      interval,
    } = dataset;
    return [
      h(
        'div',
        {},
        h('h2', {}, words.about.columns),
        columns === null
          ? h('p', { class: 'quiet' }, words.about.unknownColumns)
          : h(
              'dl',
              { class: 'columns' },
              columns.map(({ name, type }) => [
                h('dt', {}, name),
                h(
                  'dd',
                  {},
                  words.types[type],
                  keys.includes(name) && h('span', { class: 'tag' }, words.about.key),
                  name === timeColumn && h('span', { class: 'tag' }, words.about.time),
                ),
              ]),
            ),
      ),
      h(
        'div',
        {},
        view !== null && view.uses.length > 0 && [h('h2', {}, words.about.uses), links(view.uses)],
        usedBy.length > 0 && [h('h2', {}, words.about.usedBy), links(usedBy)],
        cost !== null &&
          cost.usdPerMonth !== null &&
          interval !== null && [
            h('h2', {}, words.about.reading),
            h(
              'p',
              {},
              words.about.costs(
                format.duration(interval),
                format.number(cost.usdPerMonth, 2),
                format.number(cost.usdThisMonth, 2),
                cost.budget === null ? null : format.number(cost.budget, 2),
              ),
            ),
          ],
        query !== null && [
          h('h2', {}, words.about.reading),
          h(
            'p',
            {},
            words.about.query(
              query.engine,
              format.bytes(query.bytesScanned),
              format.number(query.usd, 5),
              format.number(query.seconds, 1),
            ),
          ),
        ],
        sealedDays > 0 && [
          h('h2', {}, words.about.history),
          h('p', {}, words.about.sealedDays(format.number(sealedDays))),
        ],
      ),
      view !== null &&
        h(
          'div',
          { class: 'sql' },
          h('h2', {}, 'SQL'),
          h('p', { class: 'quiet' }, view.file),
          h('pre', { tabindex: 0, 'aria-label': 'SQL' }, h('code', {}, view.sql)),
        ),
    ];
  };
  return {
    element,
    show(dataset) {
      const { columns, definition: view, usedBy, sealedDays, cost, query, interval } = dataset;
      const reading = [
        interval,
        ...[cost?.usdPerMonth, cost?.usdThisMonth, cost?.budget].map((usd) => usd?.toFixed(2)),
      ];
      const next = JSON.stringify([columns, dataset.exceptions, view, usedBy, sealedDays, reading, query]);
      if (next === shown) return;
      shown = next;
      setChildren(element, ...definition(dataset), ...exceptions(dataset));
    },
  };
}

function keyText(key: Readonly<Record<string, string>>): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
