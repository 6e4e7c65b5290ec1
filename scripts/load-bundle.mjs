/**
 * How `dist/src/server.js` and `bin.js` load `dist/src/bundled/service.cjs`; it becomes part of both of them. Compiling
 * the bundle, and the functions that a start calls, takes longer than all else that a start does. So the build keeps what
 * V8 made of them during a start (`warm-bundle.mjs`), for the Node and the flags that it ran with: those of `npm start`
 * and of the image. With others, Node compiles the bundle, and keeps the result itself if it can.
 */
import { readFileSync } from 'node:fs';
import module, { createRequire, SourceMap } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';

/** A source map that names no source. */
const NO_MAP = '{"version":3,"sources":[],"mappings":""}';

/** Path of what V8 made of a bundle, for this version of V8 with these flags. */
export function cacheOf(file) {
  return `${file.slice(0, -'.cjs'.length)}-${cachedDataVersionTag()}.cache`;
}

/** The exports of a bundle. */
export function loadBundle(file) {
  const cachedData = contentOf(cacheOf(file));
  if (cachedData !== undefined) return run(compile(file, cachedData), file);
  // Node 22.1 and later. https://nodejs.org/api/module.html#module-compile-cache
  module.enableCompileCache?.();
  return exportsOf(createRequire(file)(file).bundle, file);
}

/** The bundle as a script. */
export function compile(file, cachedData) {
  // The build makes sure that it is ASCII, which is read fastest so.
  return new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
}

/** Runs a compiled bundle; returns its exports. */
export function run(script, file) {
  // Node knows the source maps of modules that it compiles itself.
  if (process.sourceMapsEnabled) nameSources(file);
  return exportsOf(script.runInThisContext(), file);
}

function exportsOf(bundle, file) {
  const own = { exports: {} };
  bundle(own.exports, createRequire(file), own, file);
  return own.exports;
}

function contentOf(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Has stack traces name the sources of a bundle. Its source map, if there is one, is read for the first of them. */
function nameSources(file) {
  let map;
  Error.prepareStackTrace = (error, frames) => {
    map ??= new SourceMap(JSON.parse(contentOf(`${file}.map`) ?? NO_MAP));
    return [Error.prototype.toString.call(error), ...frames.map((frame) => inSources(frame, file, map))].join(
      '\n    at ',
    );
  };
}

function inSources(frame, file, map) {
  if (frame.getFileName() !== file) return String(frame);
  const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];
  const { originalSource, originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
  if (!originalSource) return String(frame);
  const path = fileURLToPath(new URL(originalSource, pathToFileURL(file)));
  return String(frame).replace(
    `${file}:${line}:${column}`,
    `${path}:${originalLine + 1}:${originalColumn + 1}`,
  );
}
