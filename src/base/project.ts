import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above this file that has a `package.json`: the repository's root, or the image's `/app`. */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}

/** Absolute path of the project, wherever the process was started. */
export const projectRoot: string = findRoot();

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly scripts: { readonly start: string };
};

/** The version in `package.json`. */
export const version: string = manifest.version;

/**
 * What `npm start` tells Node about the service's memory; whoever starts the service otherwise tells it the same. Rows
 * are bytes outside of V8's heap, so that a small heap that is collected soon costs nothing: with V8's own defaults a
 * service that polls for hours lets 100 MB of garbage lie about.
 */
export const nodeFlags: readonly string[] =
  manifest.scripts.start.match(/(?<= )--max-\S+|(?<= )--initial-\S+/g) ?? [];
