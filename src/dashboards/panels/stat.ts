import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  MappingType,
  SpecialValueMatch,
  type ThresholdsConfigBuilder,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { colours, fixedColour } from '../look.js';
import type { Reading } from '../reading.js';
import {
  arrange,
  fieldColour,
  fieldNoValue,
  fieldThresholds,
  fieldTitle,
  furnish,
  NO_DATA,
  type PanelSpec,
  type PanelText,
} from './panel.js';

export interface StatOptions<Column extends string = string> extends PanelText {
  readonly reading: Reading<Column>;
  /** The columns shown, each as one large figure, from left to right; their titles and colours where there are several. */
  readonly show: readonly {
    readonly column: NoInfer<Column>;
    readonly title?: string;
    readonly colour?: string;
  }[];
  readonly unit?: string;
  readonly decimals?: number;
  /** One colour for good, or colours by value. */
  readonly colour: string | ThresholdsConfigBuilder;
  /** Paints the whole panel instead of the figure: for what must be seen from across the room. */
  readonly loud?: boolean;
  readonly mappings?: readonly ValueMapping[];
  /** How the rows become one figure: the last row (default), or the highest or the sum of all. */
  readonly of?: 'lastNotNull' | 'max' | 'sum';
}

/** A figure that is not known is neither good nor bad, whatever the lowest of the colours says. */
const unknown = (text: string): ValueMapping => ({
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.NullAndNan, result: { text, color: colours.look, index: 0 } },
});

/** One figure, large; or a few, side by side. Everything about values is said of the fields: without an answer there are none. */
export function stat<Column extends string>(options: StatOptions<Column>): PanelSpec {
  const { show } = options;
  // Grafana looks for the names as they are shown.
  const names = show.map(({ column, title }) => title ?? column);
  const pattern = names.length === 1 ? names[0] : `(${names.join('|')})`;
  const isNamed = names.length > 1 && show.every(({ title }) => title !== undefined);
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .reduceOptions(
          new ReduceDataOptionsBuilder().calcs([options.of ?? 'lastNotNull']).fields(`/^${pattern}$/`),
        )
        .graphMode(BigValueGraphMode.None)
        .justifyMode(BigValueJustifyMode.Center)
        .textMode(isNamed ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
        .colorMode(options.loud === true ? BigValueColorMode.Background : BigValueColorMode.Value)
        .colorScheme(fixedColour(colours.past));
      if (show.length > 1) {
        panel.withTransformation(arrange(show.map(({ column }) => [column, column])));
      }
      for (const column of show) panel.overrideByName(column.column, properties(options, column));
      return panel;
    },
  };
}

function properties(
  { noData = NO_DATA, unit, decimals, colour, mappings = [] }: StatOptions,
  column: StatOptions['show'][number],
): DynamicConfigValue[] {
  const list = [fieldNoValue(noData)];
  if (column.title !== undefined) list.push(fieldTitle(column.title));
  if (unit !== undefined) list.push({ id: 'unit', value: unit });
  if (decimals !== undefined) list.push({ id: 'decimals', value: decimals });
  if (column.colour !== undefined) list.push(fieldColour(column.colour));
  else if (typeof colour === 'string') list.push(fieldColour(colour));
  else list.push(...fieldThresholds(colour));
  const isByValue = typeof colour !== 'string';
  const all = isByValue ? [...mappings, unknown(noData)] : mappings;
  if (all.length > 0) list.push({ id: 'mappings', value: all });
  return list;
}
