import type { Node } from './conditions.js';

/** The syntax tree of `SELECT list FROM table WHERE condition`, and nothing else. */
export function selectNode(list: readonly Node[], table: Node, condition: Node | null): Node {
  return {
    type: 'SELECT_NODE',
    modifiers: [],
    cte_map: { map: [] },
    select_list: list,
    from_table: table,
    where_clause: condition,
    group_expressions: [],
    group_sets: [],
    aggregate_handling: 'STANDARD_HANDLING',
    having: null,
    sample: null,
    qualify: null,
  };
}
