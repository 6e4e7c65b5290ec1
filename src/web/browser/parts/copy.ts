import type { Context } from '../context.js';
import { h } from '../dom.js';

/** Milliseconds that a button confirms that it copied. */
const SAID = 1_500;

/** A button that copies a text and says so, on itself and to screen readers. `text` returns null while there is none. */
export function copyButton(
  { words, announce }: Context,
  label: string,
  title: string,
  text: () => string | null,
): HTMLButtonElement {
  const button = h('button', { type: 'button', title }, label);
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener('click', async () => {
    const copied = text();
    if (copied === null) return;
    const done = await copyText(copied).then(
      () => true,
      () => false,
    );
    announce(done ? words.copy.copied(label) : words.copy.failed);
    button.dataset.said = done ? words.copy.done : words.copy.failed;
    clearTimeout(timer);
    timer = setTimeout(() => delete button.dataset.said, SAID);
  });
  return button;
}

/** Copies a text, even if the browser has no clipboard API for the page (plain HTTP from another machine). */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = h('textarea', { class: 'visually-hidden', 'aria-hidden': true });
  field.value = text;
  document.body.append(field);
  const focused = document.activeElement;
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!done) throw new Error('the browser does not copy');
}
