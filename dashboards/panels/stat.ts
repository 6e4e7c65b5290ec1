import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  SpecialValueMatch,
  type ThresholdsConfigBuilder,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { colourByThreshold, colours, fixedColour } from '../look.js';
import type { Reading } from '../reading.js';
import { fieldColour, fieldTitle, furnish, type PanelSpec, type PanelText } from './panel.js';

export interface StatOptions<Column extends string = string> extends PanelText {
  readonly reading: Reading<Column>;
  /** The columns shown, each as one large figure; their titles and colours where there are several. */
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
function unknown({ noData, colour }: StatOptions): ValueMapping[] {
  if (noData === undefined || typeof colour === 'string') return [];
  const result = { text: noData, color: colours.look, index: 0 };
  return [{ type: MappingType.SpecialValue, options: { match: SpecialValueMatch.NullAndNan, result } }];
}

/** One figure, large. */
export function stat<Column extends string>(options: StatOptions<Column>): PanelSpec {
  // Grafana looks for the names as they are shown.
  const names = options.show.map(({ column, title }) => title ?? column);
  const pattern = names.length === 1 ? names[0] : `(${names.join('|')})`;
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .reduceOptions(
          new ReduceDataOptionsBuilder().calcs([options.of ?? 'lastNotNull']).fields(`/^${pattern}$/`),
        )
        .graphMode(BigValueGraphMode.None)
        .justifyMode(BigValueJustifyMode.Center)
        .textMode(names.length === 1 ? BigValueTextMode.Value : BigValueTextMode.ValueAndName)
        .colorMode(options.loud === true ? BigValueColorMode.Background : BigValueColorMode.Value)
        .mappings([...(options.mappings ?? []), ...unknown(options)]);
      if (options.unit !== undefined) panel.unit(options.unit);
      if (options.decimals !== undefined) panel.decimals(options.decimals);
      if (typeof options.colour === 'string') panel.colorScheme(fixedColour(options.colour));
      else panel.colorScheme(colourByThreshold()).thresholds(options.colour);
      for (const { column, title, colour } of options.show) {
        const properties = [];
        if (title !== undefined) properties.push(fieldTitle(title));
        if (colour !== undefined) properties.push(fieldColour(colour));
        if (properties.length > 0) panel.overrideByName(column, properties);
      }
      return panel;
    },
  };
}
