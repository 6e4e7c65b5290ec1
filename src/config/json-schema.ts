import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../base/project.js';
import { OWN_KEYWORDS } from '../options/schema.js';
import { ConfigurationSchema } from './schema.js';

/** Where editors find the schema; the first line of a configuration file names it. */
export const SCHEMA_FILE = join(projectRoot, 'config', 'dynamo-csv.schema.json');

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  type?: unknown;
}

/** The text of `config/dynamo-csv.schema.json`: the schema of the configuration file as JSON Schema (draft 7). */
export function jsonSchemaText(): string {
  const schema = JSON.parse(
    JSON.stringify(ConfigurationSchema, (key, value) => (OWN_KEYWORDS.has(key) ? undefined : value)),
  );
  allowNamesAlone(schema);
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }, null, 2)}\n`;
}

/** A name alone (`my-table:`) means no options, and YAML reads it as null. */
function allowNamesAlone({ properties = {}, anyOf = [], patternProperties = {} }: SchemaNode): void {
  for (const entry of Object.values(patternProperties)) {
    if (entry.properties !== undefined) entry.type = ['object', 'null'];
  }
  for (const node of [...Object.values(properties), ...anyOf]) allowNamesAlone(node);
}

/** Writes the file; true when it was not up to date. */
export async function writeJsonSchema(): Promise<boolean> {
  const text = jsonSchemaText();
  if ((await readFile(SCHEMA_FILE, 'utf8').catch(() => null)) === text) return false;
  await writeFile(SCHEMA_FILE, text);
  return true;
}
