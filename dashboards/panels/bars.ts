import { PanelBuilder } from '@grafana/grafana-foundation-sdk/barchart';
import {
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { Reading } from '../reading.js';
import { arrange, fieldColour, furnish, type PanelSpec, type PanelText } from './panel.js';

export interface BarsOptions<Column extends string = string> extends PanelText {
  /** Only the name and the numbers: the plugin draws every number it gets. */
  readonly reading: Reading<Column>;
  readonly nameColumn: NoInfer<Column>;
  readonly bars: readonly {
    readonly column: NoInfer<Column>;
    readonly title: string;
    readonly colour: string;
  }[];
  readonly unit: string;
  readonly decimals?: number;
  /** `down` writes the names in full beside horizontal bars, the first on top; `across` is for time-like names. */
  readonly direction: 'down' | 'across';
  readonly max?: number;
}

/** A bar for each row. */
export function bars<Column extends string>(options: BarsOptions<Column>): PanelSpec {
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .withTransformation(
          arrange([
            [options.nameColumn, options.nameColumn],
            ...options.bars.map(({ column, title }) => [column, title] as const),
          ]),
        )
        .xField(options.nameColumn)
        .orientation(options.direction === 'down' ? VizOrientation.Horizontal : VizOrientation.Vertical)
        .unit(options.unit)
        .min(0)
        .barWidth(0.85)
        .groupWidth(0.8)
        .barRadius(0.15)
        .fillOpacity(85)
        .lineWidth(0)
        .showValue(VisibilityMode.Auto)
        .xTickLabelMaxLength(options.direction === 'down' ? 48 : 12)
        .xTickLabelSpacing(options.direction === 'down' ? 0 : 60)
        .legend(
          new VizLegendOptionsBuilder()
            .showLegend(options.bars.length > 1)
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .calcs([]),
        )
        .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single).sort(SortOrder.None));
      if (options.decimals !== undefined) panel.decimals(options.decimals);
      if (options.max !== undefined) panel.max(options.max);
      for (const { title, colour } of options.bars) panel.overrideByName(title, [fieldColour(colour)]);
      return panel;
    },
  };
}
