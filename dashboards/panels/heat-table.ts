import {
  FieldTextAlignment,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  TableCellHeight,
} from '@grafana/grafana-foundation-sdk/common';
import { FieldColorBuilder, type FieldColorModeId } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import type { Reading } from '../reading.js';
import { furnish, type PanelSpec, type PanelText } from './panel.js';

export interface HeatTableOptions<Column extends string = string> extends PanelText {
  /** Sorted by row, then by column: in this order they appear. */
  readonly reading: Reading<Column>;
  readonly rowColumn: NoInfer<Column>;
  readonly columnColumn: NoInfer<Column>;
  readonly valueColumn: NoInfer<Column>;
  /** One of Grafana's continuous colour schemes. */
  readonly colour: `${FieldColorModeId}`;
  readonly decimals: number;
}

/**
 * A heat map with words on both axes: the mean of the values for each pair of row and column, coloured by size.
 * Grafana's own heat map only takes time on its horizontal axis.
 */
export function heatTable<Column extends string>(options: HeatTableOptions<Column>): PanelSpec {
  const { rowColumn, columnColumn, valueColumn } = options;
  const mean = `${valueColumn} (mean)`;
  return {
    ...options,
    build: (flavour) =>
      furnish(new PanelBuilder(), options, flavour, [options.reading])
        .withTransformation({
          id: 'groupBy',
          options: {
            fields: {
              [rowColumn]: { operation: 'groupby', aggregations: [] },
              [columnColumn]: { operation: 'groupby', aggregations: [] },
              [valueColumn]: { operation: 'aggregate', aggregations: ['mean'] },
            },
          },
        })
        .withTransformation({
          id: 'groupingToMatrix',
          options: {
            columnField: columnColumn,
            rowField: rowColumn,
            valueField: mean,
            emptyValue: 'null',
          },
        })
        .noValue('')
        .decimals(options.decimals)
        .colorScheme(new FieldColorBuilder().mode(options.colour as FieldColorModeId))
        .cellHeight(TableCellHeight.Sm)
        .align(FieldTextAlignment.Center)
        .minWidth(36)
        .cellOptions({
          type: TableCellDisplayMode.ColorBackground,
          mode: TableCellBackgroundDisplayMode.Basic,
        })
        .overrideByName(`${rowColumn}\\${columnColumn}`, [
          { id: 'displayName', value: ' ' },
          { id: 'custom.width', value: 110 },
          { id: 'custom.align', value: 'left' },
          { id: 'custom.cellOptions', value: { type: TableCellDisplayMode.Auto } },
        ]),
  };
}
