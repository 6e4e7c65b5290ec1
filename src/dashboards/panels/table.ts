import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  FieldTextAlignment,
  TableCellBackgroundDisplayMode,
  TableCellDisplayMode,
  TableCellHeight,
} from '@grafana/grafana-foundation-sdk/common';
import type {
  DynamicConfigValue,
  ThresholdsConfigBuilder,
  ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import type { Reading } from '../reading.js';
import {
  arrange,
  fieldColour,
  fieldNoValue,
  fieldThresholds,
  furnish,
  NO_DATA,
  type PanelSpec,
  type PanelText,
} from './panel.js';

export interface TableColumn<Column extends string = string> {
  readonly column: NoInfer<Column>;
  readonly title: string;
  readonly unit?: string;
  readonly decimals?: number;
  /** Pixels, for good. */
  readonly width?: number;
  /** Pixels that it never has less of; the columns without a width share what is left. Grafana's own least is 150. */
  readonly minWidth?: number;
  /** Continues a text that is too long for the column on the next line. */
  readonly wrap?: boolean;
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
  /** False leaves the headings out, where the panel's title says it all. */
  readonly headings?: boolean;
}

/** What a cell without a value shows. */
const NOTHING = '–';

/**
 * Rows, with headings for people. Without rows it has the one that the answer is padded with, and says in its first column
 * what that means: Grafana shows nothing at all of a table whose rows were filtered away.
 */
export function table<Column extends string>(options: TableOptions<Column>): PanelSpec {
  return {
    ...options,
    build(flavour) {
      const { reading, columns, noData = NO_DATA } = options;
      const panel = furnish(new PanelBuilder(), options, flavour, [reading])
        .showHeader(options.headings !== false)
        .cellHeight(TableCellHeight.Sm)
        .align(FieldTextAlignment.Auto)
        .cellOptions({ type: TableCellDisplayMode.Auto })
        .filterable(false)
        .transformations([
          arrange(columns.map(({ column, title }) => [flavour.field(reading, column), title])),
        ]);
      for (const [index, column] of columns.entries()) {
        panel.overrideByName(column.title, [
          ...properties(column),
          fieldNoValue(index === 0 ? noData : NOTHING),
        ]);
      }
      return panel;
    },
  };
}

function properties(column: TableColumn): DynamicConfigValue[] {
  // A heading of numbers is cut at its beginning: "Previous amount" would say "amount".
  const list: DynamicConfigValue[] = [{ id: 'custom.wrapHeaderText', value: true }];
  if (column.unit !== undefined) list.push({ id: 'unit', value: column.unit });
  if (column.decimals !== undefined) list.push({ id: 'decimals', value: column.decimals });
  if (column.width !== undefined) list.push({ id: 'custom.width', value: column.width });
  if (column.minWidth !== undefined) list.push({ id: 'custom.minWidth', value: column.minWidth });
  if (column.mappings !== undefined) list.push({ id: 'mappings', value: column.mappings });
  if (column.thresholds !== undefined) list.push(...fieldThresholds(column.thresholds));
  else if (column.mappings !== undefined) list.push({ id: 'color', value: { mode: 'thresholds' } });
  if (column.thresholds !== undefined || column.mappings !== undefined) {
    list.push({ id: 'custom.cellOptions', value: painted });
  }
  if (column.bar !== undefined) {
    list.push(fieldColour(column.bar), { id: 'min', value: 0 }, { id: 'custom.cellOptions', value: gauge });
  }
  if (column.wrap === true) list.push({ id: 'custom.wrapText', value: true });
  return list;
}

const painted = { type: TableCellDisplayMode.ColorBackground, mode: TableCellBackgroundDisplayMode.Basic };
const gauge = {
  type: TableCellDisplayMode.Gauge,
  mode: BarGaugeDisplayMode.Basic,
  valueDisplayMode: BarGaugeValueMode.Text,
};
