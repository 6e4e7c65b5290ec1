import type { Route } from '../address.js';
import type { Context } from '../context.js';
import { h, setAttribute, setText } from '../dom.js';
import { type FleetData, numberOf } from './data.js';
import { CPU_ALERT } from './limits.js';

/** EC2 states of an instance that will run soon, which need no action. */
const COMING_UP = ['pending', 'rebooting'];

type State = 'fresh' | 'late' | 'stale' | null;

/** The figures at the top, each a link to the rows behind it. */
export function figures({ words, format, link }: Context) {
  const dataset = (name: string, parameters: readonly [string, string][] = []): Route => ({
    page: 'dataset',
    name,
    plot: null,
    parameters,
  });
  const number = (value: number | null) => (value === null ? '–' : format.number(value));
  const rides = figure(words.fleet.rides, link(dataset('rides-today')));
  const rate = figure(words.fleet.successRate, link(dataset('rides-per-day')));
  const taxis = figure(words.fleet.assigned, link(dataset('taxis-now')));
  const unassigned = figure(words.fleet.unassigned, link(dataset('unassigned-taxis')));
  const server = figure(words.fleet.server, link(dataset('api-server')));
  const element = h(
    'section',
    { class: 'figures', 'aria-label': words.fleet.figures },
    [rides, rate, taxis, unassigned, server].map((one) => one.element),
  );
  return {
    element,
    show(data: FleetData) {
      const today = data.rides?.[0];
      const [pickups, dispatches] = [numberOf(today, 'pickups'), numberOf(today, 'dispatches')];
      const success = numberOf(today, 'success_rate');
      rides.show(data.rides, number(pickups), words.fleet.ofDispatches(number(dispatches)));
      rate.show(data.rides, success === null ? '–' : format.percent(success), words.fleet.rateNote);
      const now = data.taxis?.[0];
      taxis.show(
        data.taxis,
        number(numberOf(now, 'assigned')),
        words.fleet.ofTaxis(number(numberOf(now, 'taxis'))),
      );
      const waiting = numberOf(data.unassigned?.[0], 'unassigned');
      const ids = (data.which ?? []).map(({ taxi_id }) => taxi_id);
      unassigned.show(
        data.unassigned,
        waiting === 0 ? words.fleet.none : number(waiting),
        waiting === 0
          ? words.fleet.everyTaxi
          : words.fleet.which(ids.join(', '), ids.length < (waiting ?? 0)),
        waiting === null ? null : waiting === 0 ? 'fresh' : 'stale',
      );
      const servers = data.server;
      const worst = servers?.find(({ running }) => running !== '1') ?? servers?.[0];
      const state = worst?.state ?? '–';
      const cpu = Math.max(...(servers ?? []).map((row) => numberOf(row, 'cpu_utilization') ?? -1));
      const [bytesIn, bytesOut] = [numberOf(worst, 'network_in'), numberOf(worst, 'network_out')];
      const isBusy = cpu >= CPU_ALERT && worst?.running === '1';
      const load = cpu >= 0 ? words.fleet.cpu(format.percent(cpu, 0)) : words.fleet.notMeasured;
      const network =
        bytesIn === null || bytesOut === null
          ? ''
          : words.fleet.network(format.bytesPerSecond(bytesIn), format.bytesPerSecond(bytesOut));
      // The problem is shown large.
      const [large, small] = isBusy ? [load, words.serverState(state)] : [words.serverState(state), load];
      server.show(
        servers,
        large,
        [small, network].filter((text) => text !== '').join(' · '),
        isBusy ? 'stale' : worst?.running === '1' ? 'fresh' : COMING_UP.includes(state) ? 'late' : 'stale',
      );
    },
  };
}

function figure(label: string, href: string) {
  const value = h('span', { class: 'value' });
  const note = h('span', { class: 'note' });
  const element = h(
    'a',
    { class: 'figure', href, hidden: true },
    h('span', { class: 'label' }, label),
    value,
    note,
  );
  return {
    element,
    show(rows: unknown, text: string, below: string, state: State = null) {
      element.hidden = rows === undefined;
      setText(value, text);
      setText(note, below);
      setAttribute(element, 'data-state', state);
    },
  };
}
