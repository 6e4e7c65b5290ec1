import { h, newId } from '../dom.js';
import type { Words } from '../words/words.js';

/** Asks for the token until there is one. */
export function askForToken(words: Words, refused: boolean): Promise<string> {
  const id = newId();
  const field = h('input', {
    id,
    type: 'password',
    autocomplete: 'off',
    required: true,
    spellcheck: 'false',
    'aria-describedby': `${id}-why`,
  });
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: `${id}-title` }, words.token.title),
    h(
      'p',
      { id: `${id}-why`, role: refused ? 'alert' : null },
      refused ? words.token.refused : words.token.why,
    ),
    h('label', { for: id }, 'API_TOKEN'),
    field,
    h('div', { class: 'actions' }, h('button', { class: 'primary' }, words.token.use)),
  );
  const dialog = h('dialog', { class: 'token', 'aria-labelledby': `${id}-title` }, form);
  // Without a token there is nothing to return to.
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      dialog.remove();
      resolve(field.value.trim());
    });
  });
}
