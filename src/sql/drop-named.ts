import { identifier } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';

/** Drops a dataset's view and its table `raw.<name>` from DuckDB, and other tables of it; running queries finish. */
export async function dropNamed(engine: Engine, name: string, others: readonly string[] = []): Promise<void> {
  await engine.session({ caller: 'service' }, (session) =>
    session.transaction(async () => {
      await session.run(`DROP VIEW IF EXISTS ${identifier(name)}`);
      for (const table of [`raw.${identifier(name)}`, ...others])
        await session.run(`DROP TABLE IF EXISTS ${table}`);
    }),
  );
}
