import { TextBoxVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { VariableSpec } from '../src/dashboards/dashboard.js';
import { chosenZones, zones } from './fleet.js';
import { read } from './reading.js';

/** `zone`: several zones by name (every deployment has the names; some store numbers, some do not). */
export const zoneVariable: VariableSpec = (flavour) =>
  flavour.variable({
    name: 'zone',
    label: 'Zones',
    description: 'Zones whose boardings are drawn day by day',
    values: zones,
    chosen: chosenZones,
    reading: read('zones', ['zone'], { borough: 'Manhattan', sort: 'zone' }),
    definition: 'zones of Manhattan',
  });

/** `taxi`: a taxi's number, typed. */
export const taxiVariable: VariableSpec = () => {
  const option = { text: '1', value: '1', selected: true };
  return new TextBoxVariableBuilder('taxi')
    .label('Taxi')
    .description("A taxi's number, for the section “One taxi”")
    .defaultValue('1')
    .current(option)
    .options([option]);
};
