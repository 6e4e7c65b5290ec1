import type { Facts } from './facts.js';
import { times, units } from './look.js';
import { distinct, isLabel, panelIdOf, titleOf, unitOf } from './naming.js';
import type { PanelSpec } from './panels/panel.js';
import { table } from './panels/table.js';
import { columnList, pickedTime, type Window } from './reading.js';
import { chosenKeys, plain } from './windows.js';

const MOST_ROWS = 200;
/** Bytes of an answer that a browser draws at once, and a dashboard may ask for every 30 seconds. */
const MOST_BYTES = 200_000;
/** Columns of which a table shows anything; and characters of their names, which stand in a URL. */
const MOST_COLUMNS = 30;
const MOST_CHARACTERS = 2_000;

/** The rows themselves, the newest first where they have a time. */
export function rowTable(facts: Facts): PanelSpec[] {
  if (facts.kind === 'changes') return [];
  const columns = columnsShown(facts);
  if (columns.length === 0) return [];
  const titles = distinct(columns.map(({ name }) => titleOf(name)));
  const limit = limitOf(facts);
  // Numbers that say which row it is have no separators.
  const isName = (name: string) => isLabel(name) || facts.keys.some((key) => key.name === name);
  return [
    table({
      id: panelIdOf('rows', ''),
      at: [0, 0, 24, 12],
      title: 'Rows',
      description: `${whichRows(facts, limit)}${whichColumns(facts, columns.length)} All of it: \`/csv/${facts.dataset}\`.`,
      reading: plain(
        facts,
        columns.map(({ name }) => name),
        { ...order(facts), ...chosenKeys(facts), limit: String(limit) },
      ),
      columns: columns.map(({ name, type }, i) => ({
        column: name,
        title: titles[i]!,
        minWidth: 100,
        ...(type === 'time' ? { unit: times.moment, width: 170 } : {}),
        ...(type === 'number' ? (isName(name) ? { unit: units.none } : unitOf(name)) : {}),
      })),
    }),
  ];
}

function order({ timeColumn }: Facts): Window {
  return timeColumn === null ? {} : { ...pickedTime, sort: columnList([`-${timeColumn}`]) };
}

function limitOf({ bytesPerRow }: Facts): number {
  if (bytesPerRow === null) return MOST_ROWS;
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_BYTES / bytesPerRow)));
}

/** Keys and time first, then the order of the header. */
function columnsShown({ columns, keys, timeColumn }: Facts) {
  const isFirst = ({ name }: { name: string }) =>
    name === timeColumn || keys.some((key) => key.name === name);
  const ordered = [...columns.filter(isFirst), ...columns.filter((column) => !isFirst(column))];
  let characters = 0;
  return ordered.slice(0, MOST_COLUMNS).filter(({ name }) => {
    characters += encodeURIComponent(name).length + 3;
    return characters <= MOST_CHARACTERS;
  });
}

function whichRows({ timeColumn }: Facts, limit: number): string {
  return timeColumn === null
    ? `The first ${limit} rows.`
    : `The newest ${limit} rows in the picked time, by \`${timeColumn}\`.`;
}

function whichColumns({ columns, unnamed }: Facts, shown: number): string {
  const all = columns.length + unnamed;
  return shown === all ? '' : ` ${shown} of ${all} columns.`;
}
