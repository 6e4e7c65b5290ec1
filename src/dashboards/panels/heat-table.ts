import {
  FieldTextAlignment,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  TableCellHeight,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { colourByThreshold, shareThresholds } from '../look.js';
import type { Reading } from '../reading.js';
import { arrange, fieldNoValue, furnish, type PanelSpec, type PanelText } from './panel.js';

export interface HeatTableOptions<Column extends string = string> extends PanelText {
  /** Sorted by `down`: in this order its values appear from top to bottom. */
  readonly reading: Reading<Column>;
  /** Hours of the day. */
  readonly down: NoInfer<Column>;
  /** A column of names, and from left to right each name in it with its heading. */
  readonly across: readonly [
    column: NoInfer<Column>,
    names: readonly (readonly [name: string, heading: string])[],
  ];
  readonly valueColumn: NoInfer<Column>;
  readonly unit: string;
  readonly decimals: number;
}

/** Pixels that a column has at least, enough for a number of four digits: seven of them fit into half a screen. */
const LEAST_WIDTH = 48;

/**
 * A heat map of hours with names across: the mean of the values of each pair, the more the stronger its colour.
 * Grafana's own heat map has only time across.
 */
export function heatTable<Column extends string>(options: HeatTableOptions<Column>): PanelSpec {
  const { down, valueColumn } = options;
  const [across, names] = options.across;
  /** What Grafana calls the first column of its matrix. */
  const corner = `${down}\\${across}`;
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .withTransformation({
          id: 'groupBy',
          options: {
            fields: {
              [down]: { operation: 'groupby', aggregations: [] },
              [across]: { operation: 'groupby', aggregations: [] },
              [valueColumn]: { operation: 'aggregate', aggregations: ['mean'] },
            },
          },
        })
        .withTransformation({
          id: 'groupingToMatrix',
          options: {
            columnField: across,
            rowField: down,
            valueField: `${valueColumn} (mean)`,
            emptyValue: 'null',
          },
        })
        .withTransformation(arrange([[corner, 'Hour'], ...names]))
        .unit(options.unit)
        .decimals(options.decimals)
        .colorScheme(colourByThreshold())
        .thresholds(shareThresholds())
        .minWidth(LEAST_WIDTH)
        .cellHeight(TableCellHeight.Sm)
        .align(FieldTextAlignment.Center)
        .cellOptions({
          type: TableCellDisplayMode.ColorBackground,
          mode: TableCellBackgroundDisplayMode.Basic,
        })
        .overrideByName('Hour', [
          { id: 'custom.width', value: 60 },
          { id: 'unit', value: 'suffix:h' },
          { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.Auto } },
          fieldNoValue('–'),
        ]);
      // An hour of which nothing is known is an empty cell.
      for (const [, heading] of names) panel.overrideByName(heading, [fieldNoValue('')]);
      return panel;
    },
  };
}
