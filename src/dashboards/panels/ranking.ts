import type { Reading } from '../reading.js';
import type { PanelSpec, PanelText } from './panel.js';
import { table } from './table.js';

export interface RankingOptions<Column extends string = string> extends PanelText {
  /** The first row is the top one. */
  readonly reading: Reading<Column>;
  readonly nameColumn: NoInfer<Column>;
  readonly nameTitle: string;
  readonly valueColumn: NoInfer<Column>;
  readonly valueTitle: string;
  readonly colour: string;
  readonly unit: string;
  readonly decimals?: number;
}

/** Pixels that a name has at least; a longer one goes on in the next line. */
const NAME_WIDTH = 110;
/** Pixels for a bar and its number at least. */
const VALUE_WIDTH = 76;

/**
 * Names with a bar each, from top to bottom. A table, because Grafana's bar chart and bar gauge give a name two fifths of
 * the width and cut what is longer.
 */
export function ranking<Column extends string>(options: RankingOptions<Column>): PanelSpec {
  const { nameColumn, nameTitle, valueColumn, valueTitle, colour, unit, decimals } = options;
  return table({
    ...options,
    columns: [
      { column: nameColumn, title: nameTitle, minWidth: NAME_WIDTH, wrap: true },
      {
        column: valueColumn,
        title: valueTitle,
        minWidth: VALUE_WIDTH,
        bar: colour,
        unit,
        ...(decimals === undefined ? {} : { decimals }),
      },
    ],
  });
}
