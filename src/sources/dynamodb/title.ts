/** How a table is called to people. A recorder recognises its source by it at the next start, so it never changes. */
export function tableTitle(table: string): string {
  return `DynamoDB table ${table}`;
}
