import { appendedBy, type Place, type RecorderOptions } from './recorder-options.js';

/** The source as people see it. */
export function shownSource({ source, shownAs }: Pick<RecorderOptions, 'source' | 'shownAs'>): string {
  return shownAs ?? source;
}

/** What the rows of a source's dataset mean, for people. */
export function describe(
  kind: Place['kind'],
  options: Pick<
    RecorderOptions,
    'source' | 'shownAs' | 'log' | 'append' | 'time' | 'newItemsOnly' | 'exactTimes'
  >,
): string {
  const { newItemsOnly, exactTimes } = options;
  const source = shownSource(options);
  if (kind === 'snapshot') return `What the latest poll of ${source} found.`;
  if (kind === 'changes')
    return `What was inserted, updated and deleted in ${source}${exactTimes === true ? ': each write in its stream, with its time.' : ' from poll to poll.'}`;
  if (appendedBy(options) !== null)
    return `Every new item of ${source}, by its own time, with the time of the poll that found it.`;
  return newItemsOnly === true
    ? `Every new item of ${source}, with the time of the poll that found it.`
    : `Every poll of ${source}, with its time.`;
}
