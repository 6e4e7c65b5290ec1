import { en } from './en.js';
import { ko } from './ko.js';

/** Every text of the page. English is the model; the compiler holds the others to it. */
export type Words = typeof en;

export const languages = { en, ko } as const satisfies Record<string, Words>;
export type Language = keyof typeof languages;

/** The first of the browser's languages that the page speaks. */
export function preferredLanguage(wanted: readonly string[]): Language {
  const codes = wanted.map((tag) => tag.split('-')[0]!);
  return (codes.find((code) => code in languages) ?? 'en') as Language;
}
