import type { Context } from '../context.js';
import { h, newId, setChildren } from '../dom.js';
import { type FleetData, numberOf } from './data.js';

/** The last seven days, today so far first. */
export function weekTable({ words, format, link }: Context) {
  const id = newId();
  const body = h('tbody');
  const head = (text: string) => h('th', { scope: 'col', class: 'numeric' }, text);
  const element = h(
    'section',
    { class: 'panel week', 'aria-labelledby': id, hidden: true },
    h(
      'h2',
      { id },
      h(
        'a',
        { href: link({ page: 'dataset', name: 'rides-per-day', plot: null, parameters: [] }) },
        words.fleet.week,
      ),
    ),
    h(
      'table',
      { 'aria-labelledby': id },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, words.fleet.day),
          head(words.fleet.ridesOfDay),
          head(words.fleet.dispatches),
          head(words.fleet.successRate),
        ),
      ),
      body,
    ),
  );
  let shown: unknown;
  return {
    element,
    show({ week }: FleetData) {
      element.hidden = week === undefined;
      if (week === undefined || week === shown) return;
      shown = week;
      const most = Math.max(1, ...week.map((row) => numberOf(row, 'pickups') ?? 0));
      const number = (value: number | null) => (value === null ? '–' : format.number(value));
      setChildren(
        body,
        ...week.map((row, index) => {
          const pickups = numberOf(row, 'pickups');
          const rate = numberOf(row, 'success_rate');
          const bar = h('span', { class: 'bar boardings' });
          bar.style.width = `${(100 * (pickups ?? 0)) / most}%`;
          return h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              format.day(row.date ?? ''),
              index === 0 && h('span', { class: 'quiet' }, ` ${words.fleet.soFar}`),
            ),
            h('td', { class: 'numeric' }, h('span', { class: 'barred' }, number(pickups), bar)),
            h('td', { class: 'numeric' }, number(numberOf(row, 'dispatches'))),
            h('td', { class: 'numeric' }, rate === null ? '–' : format.percent(rate)),
          );
        }),
      );
    },
  };
}
