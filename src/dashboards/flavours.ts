import type { Flavour } from './flavour.js';
import { csvFlavour } from './flavour-csv.js';
import { infinityFlavour } from './flavour-infinity.js';

/** Both flavours of every dashboard and rule; the first is the default. */
export const flavours: readonly Flavour[] = [csvFlavour, infinityFlavour];
