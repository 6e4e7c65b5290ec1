/** `npm run generate`: brings `config/dynamo-csv.schema.json` up to date with the schema in code. */

import { SCHEMA_FILE, writeJsonSchema } from './json-schema.js';
import { displayPath } from './yaml-file.js';

const written = await writeJsonSchema();
console.log(`${displayPath(SCHEMA_FILE)}: ${written ? 'written' : 'up to date'}`);
