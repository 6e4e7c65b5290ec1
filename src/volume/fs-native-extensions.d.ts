/** The two functions that lock.ts uses; the package has no types of its own. */
declare module 'fs-native-extensions' {
  /** Locks the whole file exclusively; false when another descriptor holds a lock on it. Throws system errors. */
  export function tryLock(descriptor: number): boolean;
  export function unlock(descriptor: number): void;
}
