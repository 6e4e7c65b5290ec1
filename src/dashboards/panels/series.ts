import {
  AxisPlacement,
  BarAlignment,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import type { DynamicConfigValue, ThresholdsConfigBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { colours, manyColours, shadesOf } from '../look.js';
import { type Reading, timeOf } from '../reading.js';
import {
  arrange,
  fieldColour,
  fieldTitle,
  fieldUnit,
  furnish,
  noDataOrAnswer,
  onlyWithTime,
  type PanelSpec,
  type PanelText,
} from './panel.js';

export interface Line<Column extends string = string> {
  readonly column: NoInfer<Column>;
  readonly title: string;
  readonly colour: string;
  readonly style?: 'line' | 'area' | 'dashed' | 'bars';
  /** A unit of its own puts it on the right-hand axis. */
  readonly rightUnit?: string;
}

interface SeriesText extends PanelText {
  readonly unit: string;
  readonly min?: number;
  readonly max?: number;
  /** Drawn as a line across the plot, e.g. where the alert fires. */
  readonly limit?: ThresholdsConfigBuilder;
  /** The smallest step that makes sense: the poll interval. */
  readonly interval?: string;
  /** Shown instead of the picked time while that is relative, e.g. `3h`. */
  readonly always?: string;
}

export interface SeriesOptions<Column extends string = string> extends SeriesText {
  readonly reading: Reading<Column>;
  readonly lines: readonly Line<NoInfer<Column>>[];
}

/** Columns over time, in the order of `lines`. The reading has its time first, ascending. */
export function series<Column extends string>(options: SeriesOptions<Column>): PanelSpec {
  return {
    ...options,
    build(flavour) {
      const time = flavour.field(options.reading, timeOf(options.reading));
      const panel = plot(furnish(new PanelBuilder(), options, flavour, [options.reading]), options)
        .withTransformation(onlyWithTime(time))
        .withTransformation(arrange([time, ...options.lines.map(({ column }) => column)].map(asItIs)));
      for (const line of options.lines) panel.overrideByName(line.column, lineProperties(line));
      return panel;
    },
  };
}

const asItIs = (field: string) => [field, field] as const;

export interface SeriesByNameOptions<Column extends string = string> extends SeriesText {
  readonly reading: Reading<Column>;
  /** One line for each value of this column. */
  readonly nameColumn: NoInfer<Column>;
  readonly valueColumn: NoInfer<Column>;
  /** Lines in shades of the main colour (default), or as different as possible. */
  readonly colour?: 'shades' | 'many';
}

/** One column over time, with a line for each name in another: rows become a wide series in Grafana. */
export function seriesByName<Column extends string>(options: SeriesByNameOptions<Column>): PanelSpec {
  return {
    ...options,
    build: (flavour) =>
      plot(furnish(new PanelBuilder(), options, flavour, [options.reading]), options)
        .colorScheme(options.colour === 'many' ? manyColours() : shadesOf(colours.main))
        .withTransformation(onlyWithTime(flavour.field(options.reading, timeOf(options.reading))))
        .withTransformation({
          id: 'groupingToMatrix',
          options: {
            columnField: options.nameColumn,
            rowField: flavour.field(options.reading, timeOf(options.reading)),
            valueField: options.valueColumn,
            emptyValue: 'null',
          },
        }),
  };
}

function plot(panel: PanelBuilder, text: SeriesText): PanelBuilder {
  panel
    .noValue(noDataOrAnswer(text))
    .unit(text.unit)
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.Linear)
    .lineWidth(2)
    .fillOpacity(0)
    // A measurement between two gaps has no line: it is a point, or it is not seen.
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None));
  if (text.min !== undefined) panel.min(text.min);
  if (text.max !== undefined) panel.max(text.max);
  if (text.interval !== undefined) panel.interval(text.interval);
  // Hidden, because it takes the place of the title in a narrow panel.
  if (text.always !== undefined) panel.timeFrom(text.always).hideTimeOverride(true);
  if (text.limit !== undefined) {
    panel
      .thresholds(text.limit)
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return panel;
}

function lineProperties(line: Line): DynamicConfigValue[] {
  const properties = [fieldTitle(line.title), fieldColour(line.colour)];
  const custom = (name: string, value: unknown) => properties.push({ id: `custom.${name}`, value });
  if (line.style === 'area') custom('fillOpacity', 15);
  if (line.style === 'dashed') custom('lineStyle', { fill: 'dash', dash: [8, 6] });
  if (line.style === 'bars') {
    custom('drawStyle', GraphDrawStyle.Bars);
    custom('fillOpacity', 80);
    custom('lineWidth', 0);
    // After its time, so that the first day is not cut in half by the axis.
    custom('barAlignment', BarAlignment.After);
  }
  if (line.rightUnit !== undefined) {
    properties.push(fieldUnit(line.rightUnit), { id: 'min', value: 0 }, { id: 'max', value: 100 });
    custom('axisPlacement', AxisPlacement.Right);
    custom('showPoints', VisibilityMode.Always);
    custom('spanNulls', true);
  }
  return properties;
}
