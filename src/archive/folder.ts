import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { errorCode } from '../base/errors.js';
import type { Files } from '../volume/files.js';
import { archiveFile, isArchived, ownFolder } from '../volume/layout.js';
import { replaceFile } from '../volume/write.js';

/** At the top of ext4; only root may read it. */
const OF_THE_FILE_SYSTEM = 'lost+found';

const Mark = Type.Object({
  format: Type.Literal(1),
  archive: Type.String(),
  /** Where that was, for people: `s3://bucket/prefix/`. Absent: an earlier version wrote the mark. */
  location: Type.Optional(Type.String()),
  /** The last point that this folder has, or 0. */
  number: Type.Integer({ minimum: 0 }),
  /** The SHA-256 of the next point, which this folder was about to write; null: it was not. */
  pending: Type.Union([Type.String(), Type.Null()]),
  /** Whether the folder is being restored: what it has then comes from the archive. */
  isRestoring: Type.Boolean(),
  /** Whether the folder follows the archive: what it has comes from there. Absent: false. */
  isFollowing: Type.Optional(Type.Boolean()),
});

/** Which archive a data folder belongs to, and up to which point the folder has its history. */
export type FolderMark = Static<typeof Mark>;

/** Null: the folder was never archived, or nobody can read the mark any more. */
export async function readMark(dataDir: string, files: Files): Promise<FolderMark | null> {
  const path = archiveFile(dataDir);
  if ((await files.stat(path))?.isFile !== true) return null;
  try {
    const value: unknown = JSON.parse((await files.readFile(path)).toString());
    return Value.Check(Mark, value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export async function writeMark(
  dataDir: string,
  files: Files,
  { id: archive, location }: { readonly id: string; readonly location: string },
  {
    pending = null,
    isRestoring = false,
    isFollowing = false,
    ...mark
  }: Pick<FolderMark, 'number'> & Partial<Omit<FolderMark, 'archive' | 'location'>>,
): Promise<void> {
  const following = isFollowing ? { isFollowing } : {};
  const content: FolderMark = { ...mark, archive, location, format: 1, pending, isRestoring, ...following };
  await files.makeFolder(ownFolder(dataDir));
  await replaceFile(files, archiveFile(dataDir), Buffer.from(JSON.stringify(content)));
}

/** Whether a data folder has nothing of its own: it is empty, or what it has comes from an archive. */
export async function isCopy(dataDir: string, files: Files): Promise<boolean> {
  const mark = await readMark(dataDir, files);
  if (mark !== null) return mark.isRestoring || mark.isFollowing === true;
  return (await files.stat(dataDir)) === null || (await archivedPaths(dataDir)).length === 0;
}

/** The files of a data folder that an archive keeps: paths relative to it, with slashes, in their order. */
export async function archivedPaths(dataDir: string): Promise<string[]> {
  const paths = await filesIn(dataDir, await readdir(dataDir, { withFileTypes: true }));
  return paths
    .map((path) => relative(dataDir, path).replaceAll(sep, '/'))
    .filter(isArchived)
    .sort();
}

/** A folder below that goes meanwhile, as a day's does with retention, has none. */
async function filesIn(folder: string, entries: readonly Dirent[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isFile()) found.push(path);
    if (!entry.isDirectory() || entry.name === OF_THE_FILE_SYSTEM) continue;
    found.push(...(await filesIn(path, await entriesOf(path))));
  }
  return found;
}

function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
}
