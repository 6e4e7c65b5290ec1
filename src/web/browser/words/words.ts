import { en, type Words } from './en.js';
import { ko } from './ko.js';

export type { Words } from './en.js';

export const languages = { en, ko } as const satisfies Record<string, Words>;
export type Language = keyof typeof languages;

/** The first of the browser's languages that the page supports. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const codes = wanted.map((tag) => tag.split('-')[0]!);
  return (codes.find((code) => code in languages) ?? 'en') as Language;
}
