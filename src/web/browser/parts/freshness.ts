import { h, type Part, setText } from '../dom.js';
import type { Freshness } from '../types.js';
import type { Words } from '../words/words.js';

/** A coloured mark with its label. */
export function freshnessMark(words: Words): Part<Freshness> {
  const word = h('span');
  const element = h('span', { class: 'mark' }, h('span', { class: 'dot', 'aria-hidden': true }), word);
  return {
    element,
    show(freshness) {
      if (element.dataset.state !== freshness) element.dataset.state = freshness;
      setText(word, words.freshness[freshness]);
    },
  };
}
