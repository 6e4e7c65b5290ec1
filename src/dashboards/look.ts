import {
  FieldColorBuilder,
  FieldColorModeId,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';

/**
 * Few colours, each with one meaning on every dashboard. Names are Grafana's own, so that each fits the dark and the
 * light theme.
 */
export const colours = {
  /** Passengers on board: rides, boardings, and incoming traffic. The main thing of a panel. */
  main: 'blue',
  /** What goes with it: dispatches, destinations, outgoing traffic. */
  second: 'light-blue',
  /** A rate in percent. */
  rate: 'purple',
  /** The past that today is compared with. */
  past: '#8e8e99',
  good: 'green',
  /** Look at it when there is time. */
  look: 'orange',
  /** Act now: an alert fires at the same value. */
  act: 'red',
  /** Nothing to say. */
  quiet: 'transparent',
} as const;

/** Units by Grafana's ids. */
export const units = {
  count: 'locale',
  /** As it is written: for ids. */
  none: 'none',
  percent: 'percent',
  bytesPerSecond: 'Bps',
  seconds: 's',
  dollars: 'currencyUSD',
} as const;

/** Units of times: how they are written, in the dashboard's time zone. */
export const times = {
  day: 'time:ddd D MMM',
  moment: 'time:ddd D MMM HH:mm:ss',
} as const;

/** Colours from these values on; the first has no value: it holds from below. */
export function thresholds(...steps: readonly (readonly [from: number | null, colour: string])[]) {
  const list: Threshold[] = steps.map(([value, color]) => ({ value, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(list);
}

/**
 * Grafana writes on a colour that hides less than 30 % of what is below it in the theme's own text colour, and on any stronger
 * one in white, unless the colour itself is bright. So the first shades are thinner than that, and the others dark enough for
 * white. They lie over the theme's own background, and so fit both.
 */
const SHADES = [
  ...['0.05', '0.13', '0.21', '0.29'].map((share) => `rgba(87, 148, 242, ${share})`),
  ...['0.82', '0.88', '0.94', '1.00'].map((share) => `rgba(24, 80, 170, ${share})`),
];

/** One colour, the stronger the larger the value's share of the range of all values: eight steps of equal size. */
export function shareThresholds() {
  const list: Threshold[] = SHADES.map((color, step) => ({
    value: step === 0 ? null : (100 * step) / SHADES.length,
    color,
  }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Percentage).steps(list);
}

export function fixedColour(colour: string) {
  return new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(colour);
}

export function colourByThreshold() {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}

/** One colour in as many shades as there are lines. */
export function shadesOf(colour: string) {
  return new FieldColorBuilder().mode(FieldColorModeId.Shades).fixedColor(colour);
}

/** A colour of its own for each name, the same wherever the name appears. */
export function manyColours() {
  return new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName);
}
