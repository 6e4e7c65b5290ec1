import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest parent folder with a `package.json`: the root of the repository, or `/app` in the image. */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}

/** The project's absolute path, independent of the working directory. */
export const projectRoot: string = findRoot();

const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly scripts: { readonly start: string };
};

/** The version from `package.json`. */
export const version: string = manifest.version;

/**
 * The memory flags that `npm start` passes to Node; use them wherever else the service is started. Rows are kept outside
 * V8's heap, so a small heap that is collected often costs nothing, while V8's defaults let a service that polls for hours
 * accumulate 100 MB of garbage.
 */
export const nodeFlags: readonly string[] =
  manifest.scripts.start.match(/(?<= )--max-\S+|(?<= )--initial-\S+/g) ?? [];
