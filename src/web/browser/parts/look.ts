export type Theme = 'system' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

const STORED = 'dynamo-csv-theme';
const changed = new EventTarget();

export function chosenTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((theme) => theme === stored) ?? 'system';
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
  applyTheme();
  changed.dispatchEvent(new Event('change'));
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = chosenTheme();
}

/** Calls `listener` when the theme changes between light and dark. Returns a function that ends that. */
export function onLookChange(listener: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  changed.addEventListener('change', listener);
  return () => {
    system.removeEventListener('change', listener);
    changed.removeEventListener('change', listener);
  };
}
