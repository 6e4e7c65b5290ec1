import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type {
  DataSourceRef,
  DataTransformerConfig,
  DynamicConfigValue,
  GridPos,
  Panel,
  ThresholdsConfigBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Flavour } from '../flavour.js';
import type { Reading } from '../reading.js';

/** One panel of a dashboard, for either flavour. */
export interface PanelSpec {
  /** Stays the same for ever: alerts and people's links point at it. Unique in its dashboard. */
  readonly id: number;
  /** Column, row, width and height within its section; the grid is 24 columns wide. */
  readonly at: readonly [x: number, y: number, w: number, h: number];
  readonly title: string;
  build(flavour: Flavour): Builder<Panel>;
}

/** What every panel says, whatever it shows. */
export interface PanelText {
  readonly id: number;
  readonly at: readonly [x: number, y: number, w: number, h: number];
  readonly title: string;
  /** What is shown, where it comes from and what to make of it: behind the panel's "i". */
  readonly description: string;
  /** What an answer without any value means, in a few words. */
  readonly noData?: string;
}

/** What the library's panel builders have in common. */
interface AnyPanelBuilder extends Builder<Panel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  datasource(datasource: DataSourceRef): this;
  gridPos(gridPos: GridPos): this;
  targets(targets: Builder<Dataquery>[]): this;
  noValue(noValue: string): this;
}

/** What an answer without any value means, unless a panel has words of its own. */
export const NO_DATA = 'No data yet';

/**
 * What Grafana shows in place of a panel's values when it got no answer at all. A panel that also shows it for an answer
 * without rows says both.
 */
export const NO_ANSWER = 'The service does not answer';

/**
 * Title, place, data source and queries of a panel; the queries are named A, B, … in their order. Every answer has a row
 * (`pad=1`), so that "no value" and "no answer" are told apart: the first is a field without a value, the second has no
 * field.
 */
export function furnish<P extends AnyPanelBuilder>(
  panel: P,
  text: PanelText,
  flavour: Flavour,
  readings: readonly Reading[],
): P {
  const [x, y, w, h] = text.at;
  panel
    .id(text.id)
    .title(text.title)
    .description(text.description)
    .datasource(flavour.dataSource)
    .gridPos({ x, y, w, h })
    .targets(readings.map((reading, i) => flavour.query(padded(reading), String.fromCharCode(65 + i))))
    .noValue(NO_ANSWER);
  return panel;
}

const padded = (reading: Reading): Reading => ({ ...reading, window: { ...reading.window, pad: '1' } });

/** For a panel that says the same for an answer without rows and for none: "No data yet, or the service does not answer". */
export const noDataOrAnswer = ({ noData = NO_DATA }: PanelText) =>
  `${noData}, or ${NO_ANSWER.charAt(0).toLowerCase()}${NO_ANSWER.slice(1)}`;

/** Drops the row that an empty answer is padded with: the one without a time. */
export const onlyWithTime = (timeField: string) => without(timeField, { id: 'isNull', options: {} });

/** The same for an answer without a time: the row without a name. */
export const onlyWithName = (nameField: string) =>
  without(nameField, { id: 'equal', options: { value: '' } });

function without(fieldName: string, config: object): DataTransformerConfig {
  return {
    id: 'filterByValue',
    options: { type: 'exclude', match: 'any', filters: [{ fieldName, config }] },
  };
}

/** Shows exactly these fields, in this order, under these names; needed because Infinity sorts its columns. */
export function arrange(fields: readonly (readonly [field: string, title: string])[]): DataTransformerConfig {
  return {
    id: 'organize',
    options: {
      excludeByName: {},
      indexByName: Object.fromEntries(fields.map(([field], i) => [field, i])),
      renameByName: Object.fromEntries(fields),
      includeByName: {},
    },
  };
}

export const fieldColour = (colour: string): DynamicConfigValue => ({
  id: 'color',
  value: { mode: 'fixed', fixedColor: colour },
});
export const fieldTitle = (title: string): DynamicConfigValue => ({ id: 'displayName', value: title });
export const fieldUnit = (unit: string): DynamicConfigValue => ({ id: 'unit', value: unit });
/** What a field shows where it has no value. */
export const fieldNoValue = (text: string): DynamicConfigValue => ({ id: 'noValue', value: text });
/** A colour that goes by the value. */
export const fieldThresholds = (thresholds: ThresholdsConfigBuilder): DynamicConfigValue[] => [
  { id: 'color', value: { mode: 'thresholds' } },
  { id: 'thresholds', value: thresholds.build() },
];
