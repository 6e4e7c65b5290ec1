import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { colours } from '../src/dashboards/look.js';
import { words } from '../src/dashboards/words.js';

/** Values that are shown as words, with the colour of their meaning. */

/** 0 reads as "None". */
export const noneText: ValueMapping = {
  type: MappingType.ValueToText,
  options: { '0': { text: 'None', index: 0 } },
};

/**
 * EC2's states of an instance, and the service's own: `missing`, a configured instance that does not exist, and
 * `unknown`, one whose region could not be read.
 */
export const serverStates: ValueMapping[] = [
  words({
    running: colours.good,
    pending: colours.look,
    unknown: colours.look,
    stopping: colours.act,
    'shutting-down': colours.act,
    stopped: colours.act,
    terminated: colours.act,
    missing: colours.act,
  }),
];
