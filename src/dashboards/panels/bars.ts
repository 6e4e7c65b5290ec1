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
import {
  arrange,
  fieldColour,
  fieldNoValue,
  furnish,
  noDataOrAnswer,
  onlyWithName,
  type PanelSpec,
  type PanelText,
} from './panel.js';

export interface BarsOptions<Column extends string = string> extends PanelText {
  /** Only the name and the numbers: the plugin draws every number it gets. */
  readonly reading: Reading<Column>;
  /** Short names, in the order of the bars: hours, weeks. Long ones are cut; `ranking` has room for them. */
  readonly nameColumn: NoInfer<Column>;
  readonly bars: readonly {
    readonly column: NoInfer<Column>;
    readonly title: string;
    readonly colour: string;
  }[];
  readonly unit: string;
  readonly decimals?: number;
  readonly max?: number;
}

/**
 * Characters of a bar's name that are shown. Without a number the builder library writes 0, and Grafana 12.4 shows "..." in
 * place of every name.
 */
const LONGEST_NAME = 40;

/** A group of upright bars for each row. */
export function bars<Column extends string>(options: BarsOptions<Column>): PanelSpec {
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .noValue(noDataOrAnswer(options))
        .withTransformation(onlyWithName(options.nameColumn))
        .withTransformation(
          arrange([
            [options.nameColumn, options.nameColumn],
            ...options.bars.map(({ column, title }) => [column, title] as const),
          ]),
        )
        .xField(options.nameColumn)
        .orientation(VizOrientation.Vertical)
        .unit(options.unit)
        .min(0)
        .barWidth(0.85)
        .groupWidth(0.8)
        .barRadius(0.15)
        .fillOpacity(85)
        .lineWidth(0)
        .showValue(VisibilityMode.Auto)
        .xTickLabelMaxLength(LONGEST_NAME)
        .xTickLabelSpacing(60)
        .legend(
          new VizLegendOptionsBuilder()
            .showLegend(options.bars.length > 1)
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .calcs([]),
        )
        .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single).sort(SortOrder.None))
        // A label that is left out for want of room would show the panel's text for no value.
        .overrideByName(options.nameColumn, [fieldNoValue('')]);
      if (options.decimals !== undefined) panel.decimals(options.decimals);
      if (options.max !== undefined) panel.max(options.max);
      for (const { title, colour } of options.bars) panel.overrideByName(title, [fieldColour(colour)]);
      return panel;
    },
  };
}
