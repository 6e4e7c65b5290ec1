import { debounce, h, newId, type Part, setAttribute } from '../dom.js';

/** A short text that is taken over once it is right, or empty. */
export function textField(
  label: string,
  hint: string,
  proposals: readonly string[],
  pattern: RegExp,
  onValue: (value: string | null) => void,
): Part<string | null> {
  const id = newId();
  const field = h('input', {
    id,
    type: 'text',
    size: 6,
    autocomplete: 'off',
    placeholder: hint,
    list: proposals.length > 0 ? `${id}-list` : null,
  });
  const apply = debounce(() => {
    const value = field.value.trim();
    const isRight = value === '' || pattern.test(value);
    setAttribute(field, 'aria-invalid', isRight ? null : 'true');
    if (isRight) onValue(value === '' ? null : value);
  });
  field.addEventListener('input', apply);
  const list = h('datalist', { id: `${id}-list` }, ...proposals.map((value) => h('option', { value })));
  return {
    element: h(
      'div',
      { class: 'field' },
      h('label', { for: id }, label),
      field,
      proposals.length > 0 && list,
    ),
    show(value) {
      if (document.activeElement === field && field.value.trim() !== '') return;
      field.value = value ?? '';
      setAttribute(field, 'aria-invalid', null);
    },
  };
}
