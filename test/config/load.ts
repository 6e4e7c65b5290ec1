import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config/config.js';
import { ConfigMistakes } from '../../src/config/mistakes.js';

/** Runs with a folder of its own that holds `dynamo-csv.yaml` with this text. */
export async function withFile<Result>(
  text: string | Buffer,
  run: (file: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-config-'));
  try {
    const file = join(folder, 'dynamo-csv.yaml');
    await writeFile(file, text);
    return await run(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The configuration that a file with this text and these variables give. */
export function load(text: string, env: Record<string, string> = {}, args: string[] = []): Promise<Config> {
  return withFile(text, (file) => loadConfig({ CONFIG: file, ...env }, args));
}

/** The lines that such a file and variables are refused with, `FILE` in place of the file's path. */
export function mistakesOf(
  text: string | Buffer,
  env: Record<string, string> = {},
  args: string[] = [],
): Promise<string[]> {
  return withFile(text, async (file) => {
    try {
      await loadConfig({ CONFIG: file, ...env }, args);
    } catch (error) {
      if (error instanceof ConfigMistakes) return error.mistakes.map((line) => line.replaceAll(file, 'FILE'));
      throw error;
    }
    return [];
  });
}
