import {
  byName,
  type FileColumn,
  type FileColumns,
  type FileSchema,
  type FileType,
} from '../history/file-schema.js';
import { literal } from '../windows/compile/sql-text.js';
import type { Session } from './session.js';
import { isExactInDouble } from './sql-types.js';

/** The key of a Parquet file's own metadata under which `sealedAs` is kept. */
const SEALED_AS = 'dynamo-csv:sealed-as';

/** What the columns of a file are. */
export interface KnownFile {
  readonly columns: FileColumns;
  /**
   * The columns and types with which its day was sealed; those of `columns`, unless the file was written again to have the
   * schema of other days. The cells still fit these types.
   */
  readonly sealedAs: FileColumns;
}

/** Reads the columns of Parquet files, by path. Fails if one of them cannot be read. */
export async function readFileSchemas(
  session: Session,
  paths: readonly string[],
): Promise<Map<string, KnownFile>> {
  const list = `[${paths.map(literal).join(', ')}]`;
  const columns = await columnsOf(session, list);
  const sealedAs = await sealedAsOf(session, list);
  return new Map(
    paths.map((path) => {
      const found = byName(columns.get(path) ?? []);
      const sealed = sealedAs.get(path);
      return [path, { columns: found, sealedAs: sealed === undefined ? found : byName(sealed) }];
    }),
  );
}

async function columnsOf(session: Session, list: string): Promise<Map<string, FileColumn[]>> {
  const rows = await session.rows(
    `SELECT file_name, name, duckdb_type, coalesce(exact, false)
     FROM parquet_schema(${list})
     LEFT JOIN (
       SELECT file_name, path_in_schema AS name,
         bool_and(stats_null_count = num_values OR coalesce(
           ${isExactInDouble('stats_min_value')} AND ${isExactInDouble('stats_max_value')}, false)) AS exact
       FROM parquet_metadata(${list}) WHERE type = 'INT64' GROUP BY ALL
     ) USING (file_name, name)
     WHERE duckdb_type IS NOT NULL
     ORDER BY file_name, column_id`,
  );
  const found = new Map<string, FileColumn[]>();
  for (const [path, name, type, exact] of rows) {
    const columns = found.get(String(path)) ?? [];
    columns.push({ name: String(name), type: fileType(String(type)), isExactInDouble: exact === true });
    found.set(String(path), columns);
  }
  return found;
}

async function sealedAsOf(session: Session, list: string): Promise<Map<string, FileSchema>> {
  const rows = await session.rows(
    `SELECT file_name, decode(value) FROM parquet_kv_metadata(${list}) WHERE key = ${literal(SEALED_AS)}::BLOB`,
  );
  return new Map(
    rows.flatMap(([path, text]): [string, FileSchema][] => {
      const columns = decodeSchema(String(text));
      return columns === null ? [] : [[String(path), columns]];
    }),
  );
}

/** The option of COPY that keeps `sealedAs` in a file. */
export function sealedAsMetadata(sealedAs: FileSchema): string {
  return `KV_METADATA {${literal(SEALED_AS)}: ${literal(JSON.stringify(sealedAs))}}`;
}

/** Null: another program wrote it. */
function decodeSchema(text: string): FileSchema | null {
  try {
    const columns = JSON.parse(text) as FileSchema;
    const isValid = Array.isArray(columns) && columns.every(({ name }) => typeof name === 'string');
    return isValid ? columns.map((column) => ({ ...column, type: fileType(column.type) })) : null;
  } catch {
    return null;
  }
}

function fileType(type: string): FileType {
  switch (type) {
    case 'BIGINT':
    case 'DOUBLE':
    case 'BOOLEAN':
      return type;
    case 'TIMESTAMPTZ':
    case 'TIMESTAMP WITH TIME ZONE':
      return 'TIMESTAMPTZ';
    default:
      return 'VARCHAR';
  }
}
