import type { PanelJson } from './provisioning.js';

/** Colours that let a part of the background through, and the text that Grafana writes on them. */

type Rgb = readonly [red: number, green: number, blue: number];
type Theme = keyof typeof BACKGROUNDS;

/** Panels in Grafana 12.4's two themes. */
export const BACKGROUNDS = { light: [255, 255, 255], dark: [24, 27, 31] } as const;

/** The least contrast of text and background: https://www.w3.org/TR/WCAG22/#contrast-minimum. */
export const READABLE = 4.5;

const DARK_TEXT: Rgb = [32, 34, 38];
const LIGHT_TEXT: Rgb = [247, 248, 250];

/** The see-through colours of a panel's thresholds. */
export function shadesOf(panel: PanelJson): readonly string[] {
  const { steps = [] } = (panel.fieldConfig?.defaults.thresholds ?? {}) as { steps?: { color: string }[] };
  return steps.map(({ color }) => color).filter((color) => color.startsWith('rgba('));
}

/** The colour of the text on it in a table, by Grafana's `getTextColorForAlphaBackground`. */
export function textOn(shade: string, theme: string): Rgb {
  const { colour, alpha } = parts(shade);
  if (alpha < 0.3) return (theme as Theme) === 'dark' ? LIGHT_TEXT : DARK_TEXT;
  const [red, green, blue] = colour;
  return (red * 299 + green * 587 + blue * 114) / 1_000 > 180 ? DARK_TEXT : LIGHT_TEXT;
}

/** What is seen of it over a background. */
export function over(shade: string, background: Rgb): Rgb {
  const { colour, alpha } = parts(shade);
  const mix = (n: 0 | 1 | 2) => alpha * colour[n] + (1 - alpha) * background[n];
  return [mix(0), mix(1), mix(2)];
}

/** From 1 (the same) to 21 (black on white): https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio. */
export function contrast(one: Rgb, other: Rgb): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: Rgb): number {
  const linear = (value: number) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const [red, green, blue] = colour;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function parts(shade: string): { colour: Rgb; alpha: number } {
  const [red = 0, green = 0, blue = 0, alpha = 1] = [...shade.matchAll(/[\d.]+/g)].map(Number);
  return { colour: [red, green, blue], alpha };
}
