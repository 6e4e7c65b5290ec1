import { basename, dirname } from 'node:path';
import type { FileState, Files, OpenFile } from '../../src/volume/files.js';

/** A disk writes so much as a whole, or not at all. */
const SECTOR = 512;

/** Decides whether something that was not synced survived. */
export type Survives = () => boolean;

/**
 * A disk in memory that knows what was synced: contents by a file's `sync`, names by their folder's `syncFolder`.
 * A killed process leaves all of it (go on with the same disk); `afterPowerLoss` tells what a new start may find.
 */
export class VolatileDisk implements Files {
  #root: Folder;

  /** `folders`: what is there from the beginning, safely. */
  constructor(...folders: string[]) {
    this.#root = new Folder();
    for (const path of folders) this.#makeFolder(path, true);
  }

  /**
   * The disk as it may be after the power failed: what was synced, and of the rest whatever `survives` says: of
   * contents each sector by itself, of names (created, renamed, removed) each by itself.
   */
  afterPowerLoss(survives: Survives): VolatileDisk {
    const disk = new VolatileDisk();
    const decided = new Map<NameChange, boolean>();
    const decide = (change: NameChange) => {
      const isThere = decided.get(change) ?? survives();
      decided.set(change, isThere);
      return isThere;
    };
    disk.#root = this.#root.afterPowerLoss(survives, decide);
    return disk;
  }

  async open(path: string, mode: 'r' | 'r+' | 'w+'): Promise<OpenFile> {
    const folder = this.#folder(dirname(path));
    let file = folder.names.get(basename(path));
    if (file instanceof Folder) throw systemError('EISDIR', path);
    if (file === undefined) {
      if (mode !== 'w+') throw systemError('ENOENT', path);
      file = new File();
      folder.set(basename(path), file);
    }
    if (mode === 'w+') file.change({ size: 0 });
    return openFile(file);
  }

  async readFile(path: string): Promise<Buffer> {
    return Buffer.from(this.#file(path).content);
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#find(from);
    if (node === undefined) throw systemError('ENOENT', from);
    this.#folder(dirname(from)).rename(basename(from), this.#folder(dirname(to)), basename(to), node);
  }

  async remove(path: string): Promise<void> {
    const folder = this.#find(dirname(path));
    if (folder instanceof Folder && folder.names.has(basename(path))) folder.set(basename(path), null);
  }

  async removeFolder(path: string): Promise<void> {
    await this.remove(path);
  }

  async makeFolder(path: string): Promise<void> {
    this.#makeFolder(path, false);
  }

  async list(path: string): Promise<string[]> {
    const folder = this.#find(path);
    return folder instanceof Folder ? [...folder.names.keys()] : [];
  }

  async stat(path: string): Promise<FileState | null> {
    return this.#find(path)?.state() ?? null;
  }

  async syncFolder(path: string): Promise<void> {
    this.#folder(path).sync();
  }

  #find(path: string): File | Folder | undefined {
    let place: File | Folder | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      place = place instanceof Folder ? place.names.get(name) : undefined;
    }
    return place;
  }

  #file(path: string): File {
    const file = this.#find(path);
    if (!(file instanceof File)) throw systemError('ENOENT', path);
    return file;
  }

  #folder(path: string): Folder {
    const folder = this.#find(path);
    if (!(folder instanceof Folder)) throw systemError('ENOENT', path);
    return folder;
  }

  #makeFolder(path: string, isSafe: boolean): void {
    let place = this.#root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      let next = place.names.get(name);
      if (next === undefined) {
        next = new Folder();
        place.set(name, next);
      }
      if (next instanceof File) throw systemError('ENOTDIR', path);
      if (isSafe) place.sync();
      place = next;
    }
  }
}

/** A change of names, of one folder or, by a rename, of two at once: a file system does it as one transaction. */
type NameChange = (names: Map<string, File | Folder>, folder: Folder) => void;

class Folder {
  readonly names = new Map<string, File | Folder>();
  #synced = new Map<string, File | Folder>();
  #unsynced: { readonly change: NameChange; readonly other: Folder | null }[] = [];

  set(name: string, to: File | Folder | null): void {
    this.#unlink(name);
    this.#change((names) => (to === null ? names.delete(name) : names.set(name, to)));
  }

  rename(from: string, folder: Folder, to: string, node: File | Folder): void {
    folder.#unlink(to);
    const change: NameChange = (names, at) => {
      if (at === this) names.delete(from);
      if (at === folder) names.set(to, node);
    };
    this.#change(change, folder);
  }

  sync(): void {
    for (const { change, other } of this.#unsynced) if (other !== null) other.#commit(change);
    this.#synced = new Map(this.names);
    this.#unsynced = [];
  }

  state(): FileState {
    return { size: 0, isFile: false, modifiedAt: 0, id: 0, links: 1, uid: 0, gid: 0, mode: 0o755 };
  }

  afterPowerLoss(survives: Survives, decide: (change: NameChange) => boolean): Folder {
    const names = new Map(this.#synced);
    for (const { change } of this.#unsynced) if (decide(change)) change(names, this);
    const folder = new Folder();
    for (const [name, node] of names) folder.names.set(name, node.afterPowerLoss(survives, decide));
    folder.sync();
    return folder;
  }

  #change(change: NameChange, folder: Folder = this): void {
    change(this.names, this);
    this.#unsynced.push({ change, other: folder === this ? null : folder });
    if (folder === this) return;
    change(folder.names, folder);
    folder.#unsynced.push({ change, other: this });
  }

  /** The other folder of a rename was synced, so this side of it is safe too. */
  #commit(change: NameChange): void {
    change(this.#synced, this);
    this.#unsynced = this.#unsynced.filter((unsynced) => unsynced.change !== change);
  }

  #unlink(name: string): void {
    const gone = this.names.get(name);
    if (gone instanceof File) gone.links = 0;
  }
}

type ContentChange = { readonly at: number; readonly bytes: Buffer } | { readonly size: number };

class File {
  static #lastId = 0;
  readonly #id = ++File.#lastId;
  links = 1;
  #bytes: Buffer;
  #size: number;
  #synced: Buffer;
  #unsynced: ContentChange[] = [];
  /** A count of the changes does as a time. */
  #modified = 0;

  constructor(content = Buffer.alloc(0)) {
    this.#bytes = content;
    this.#size = content.length;
    this.#synced = content;
  }

  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  change(change: ContentChange): void {
    this.#apply(change);
    this.#unsynced.push(change);
    this.#modified += 1;
  }

  sync(): void {
    if (this.#unsynced.length === 0) return;
    this.#synced = Buffer.from(this.content);
    this.#unsynced = [];
  }

  state(): FileState {
    const { links } = this;
    const state = { size: this.#size, isFile: true, modifiedAt: this.#modified, id: this.#id, links };
    return { ...state, uid: 0, gid: 0, mode: 0o644 };
  }

  afterPowerLoss(survives: Survives): File {
    const file = new File(Buffer.from(this.#synced));
    for (const change of this.#unsynced) {
      if ('size' in change) {
        if (survives()) file.#apply(change);
      } else {
        for (const sector of sectorsOf(change)) if (survives()) file.#apply(sector);
      }
    }
    // The size is written by itself too: then the file has zeros where the content did not arrive.
    if (file.#size < this.#size && survives()) file.#apply({ size: this.#size });
    return new File(Buffer.from(file.content));
  }

  #apply(change: ContentChange): void {
    const end = 'size' in change ? change.size : change.at + change.bytes.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.content);
      this.#bytes = larger;
    }
    if ('size' in change) {
      this.#bytes.fill(0, Math.min(end, this.#size), Math.max(end, this.#size));
      this.#size = end;
    } else {
      this.#bytes.set(change.bytes, change.at);
      this.#size = Math.max(this.#size, end);
    }
  }
}

function* sectorsOf({ at, bytes }: { readonly at: number; readonly bytes: Buffer }) {
  for (let from = 0; from < bytes.length; ) {
    const end = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR));
    yield { at: at + from, bytes: bytes.subarray(from, end) };
    from = end;
  }
}

function openFile(file: File): OpenFile {
  return {
    write: async (bytes, position) => {
      file.change({ at: position, bytes: Buffer.from(bytes) });
      return bytes.length;
    },
    read: async (bytes, position) => {
      const part = file.content.subarray(position, position + bytes.length);
      bytes.set(part);
      return part.length;
    },
    truncate: async (size) => file.change({ size }),
    sync: async () => file.sync(),
    stat: async () => file.state(),
    close: async () => undefined,
  };
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
