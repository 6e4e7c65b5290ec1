/** The display name of a table. A recorder recognises its source by it at the next start, so it must never change. */
export function tableTitle(table: string): string {
  return `DynamoDB table ${table}`;
}
