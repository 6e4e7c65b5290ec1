import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../base/project.js';
import { ConfigurationSchema } from './schema.js';

/** Where editors find the schema; the first line of a configuration file names it. */
export const SCHEMA_FILE = join(projectRoot, 'config', 'dynamo-csv.schema.json');

/** Our own words for mistakes; they mean nothing to an editor. */
const OWN_KEYWORDS = new Set(['kind', 'keyKind']);

/** The text of `config/dynamo-csv.schema.json`: the schema of the configuration file as JSON Schema (draft 7). */
export function jsonSchemaText(): string {
  const schema = JSON.parse(
    JSON.stringify(ConfigurationSchema, (key, value) => (OWN_KEYWORDS.has(key) ? undefined : value)),
  );
  for (const table of Object.values<{ type: unknown }>(schema.properties.tables.patternProperties)) {
    table.type = ['object', 'null']; // `my-table:` alone is right, and YAML reads it as null
  }
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }, null, 2)}\n`;
}

/** Writes the file; true when it was not up to date. */
export async function writeJsonSchema(): Promise<boolean> {
  const text = jsonSchemaText();
  if ((await readFile(SCHEMA_FILE, 'utf8').catch(() => null)) === text) return false;
  await writeFile(SCHEMA_FILE, text);
  return true;
}
