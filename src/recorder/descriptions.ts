import { appendedBy, type Place, type RecorderOptions } from './recorder-options.js';

/** What the rows of a source's dataset mean, for people. */
export function describe(
  kind: Place['kind'],
  options: Pick<RecorderOptions, 'source' | 'log' | 'append' | 'time' | 'newItemsOnly' | 'exactTimes'>,
): string {
  const { source, newItemsOnly, exactTimes } = options;
  if (kind === 'snapshot') return `What the latest poll of ${source} found.`;
  if (kind === 'changes')
    return `What was inserted, updated and deleted in ${source}${exactTimes === true ? ': each write in its stream, with its time.' : ' from poll to poll.'}`;
  if (appendedBy(options) !== null)
    return `Every new item of ${source}, by its own time, with the time of the poll that found it.`;
  return newItemsOnly === true
    ? `Every new item of ${source}, with the time of the poll that found it.`
    : `Every poll of ${source}, with its time.`;
}
