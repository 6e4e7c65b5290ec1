import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  FieldTextAlignment,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  TableCellHeight,
} from '@grafana/grafana-foundation-sdk/common';
import type {
  DataTransformerConfig,
  DynamicConfigValue,
  ThresholdsConfigBuilder,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import type { Flavour } from '../flavour.js';
import type { Reading } from '../reading.js';
import { arrange, fieldColour, furnish, type PanelSpec, type PanelText } from './panel.js';

export interface TableColumn<Column extends string = string> {
  readonly column: NoInfer<Column>;
  readonly title: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly width?: number;
  /** Colours the cell's background by value. */
  readonly thresholds?: ThresholdsConfigBuilder;
  /** Names for values, with their colours, which the background takes. */
  readonly mappings?: readonly ValueMapping[];
  /** Draws the value as a bar of this colour. */
  readonly bar?: string;
}

export interface TableOptions<Column extends string = string> extends PanelText {
  readonly reading: Reading<Column>;
  readonly columns: readonly TableColumn<NoInfer<Column>>[];
  /** Drops the row without values that a dataset without rows is padded with. */
  readonly dropWithout?: NoInfer<Column>;
}

/** Rows, with headings for people. */
export function table<Column extends string>(options: TableOptions<Column>): PanelSpec {
  return {
    ...options,
    build(flavour) {
      const panel = furnish(new PanelBuilder(), options, flavour, [options.reading])
        .cellHeight(TableCellHeight.Sm)
        .align(FieldTextAlignment.Auto)
        .filterable(false)
        .transformations(transformations(options, flavour));
      for (const column of options.columns) panel.overrideByName(column.title, properties(column));
      return panel;
    },
  };
}

function transformations(options: TableOptions, flavour: Flavour): DataTransformerConfig[] {
  const named = arrange(options.columns.map(({ column, title }) => [flavour.field(column), title]));
  if (options.dropWithout === undefined) return [named];
  const filter = {
    fieldName: flavour.field(options.dropWithout),
    config: { id: 'isNotNull', options: {} },
  };
  return [{ id: 'filterByValue', options: { filters: [filter], type: 'include', match: 'all' } }, named];
}

function properties(column: TableColumn): DynamicConfigValue[] {
  const list: DynamicConfigValue[] = [];
  if (column.unit !== undefined) list.push({ id: 'unit', value: column.unit });
  if (column.decimals !== undefined) list.push({ id: 'decimals', value: column.decimals });
  if (column.width !== undefined) list.push({ id: 'custom.width', value: column.width });
  if (column.mappings !== undefined) list.push({ id: 'mappings', value: column.mappings });
  if (column.thresholds !== undefined) list.push({ id: 'thresholds', value: column.thresholds.build() });
  if (column.thresholds !== undefined || column.mappings !== undefined) {
    list.push({ id: 'color', value: { mode: 'thresholds' } }, { id: 'custom.cellOptions', value: painted });
  }
  if (column.bar !== undefined) {
    list.push(fieldColour(column.bar), { id: 'min', value: 0 }, { id: 'custom.cellOptions', value: gauge });
  }
  return list;
}

const painted = { type: TableCellDisplayMode.ColorBackground, mode: TableCellBackgroundDisplayMode.Basic };
const gauge = {
  type: TableCellDisplayMode.Gauge,
  mode: BarGaugeDisplayMode.Basic,
  valueDisplayMode: BarGaugeValueMode.Text,
};
