import type { Language } from './words/words.js';

/** Formats figures in the user's language. */
export interface Format {
  /** 12,345 or 0.4; at most `digits` decimals. */
  number(value: number, digits?: number): string;
  /** Takes 0 to 100. */
  percent(value: number, digits?: number): string;
  /** Percentage points or other differences, always with their sign. */
  signed(value: number, digits?: number): string;
  /** 1.2 MB, in steps of 1,000. */
  bytes(value: number): string;
  bytesPerSecond(value: number): string;
  /** 12s, 3m, 2h, 5d: the largest unit in which it is at least two. */
  duration(seconds: number): string;
  /** Time of day in the service's time zone. */
  clock(time: number): string;
  /** Day and time of day in the service's time zone. */
  dateTime(time: number): string;
  /** A calendar day, given as `2026-11-24`. */
  day(date: string): string;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

export function createFormat(language: Language, timeZone: string): Format {
  const unit = (name: string, digits: number) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    });
  const count = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const narrow = (name: string) =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'narrow' });
  const durations = {
    second: narrow('second'),
    minute: narrow('minute'),
    hour: narrow('hour'),
    day: narrow('day'),
  };
  const clock = new Intl.DateTimeFormat(language, { timeStyle: 'medium', timeZone, hourCycle: 'h23' });
  const dateTime = new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    timeZone,
    hourCycle: 'h23',
  });
  const day = new Intl.DateTimeFormat(language, {
    weekday: 'short',
    month: 'short',
    day: 'numeric',
    timeZone: 'UTC',
  });
  const scaled = (value: number, suffix: string) => {
    const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
    const amount = value / 1000 ** power;
    // Some languages spell out the word for byte instead of a unit.
    if (power === 0 && suffix === '') return `${count.format(value)} B`;
    return unit(UNITS[power]! + suffix, amount < 10 && power > 0 ? 1 : 0).format(amount);
  };
  return {
    number: (value, digits = 0) =>
      new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value),
    percent: (value, digits = 1) =>
      new Intl.NumberFormat(language, {
        style: 'percent',
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value / 100),
    signed: (value, digits = 1) =>
      new Intl.NumberFormat(language, {
        signDisplay: 'exceptZero',
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value),
    bytes: (value) => scaled(value, ''),
    bytesPerSecond: (value) => scaled(value, '-per-second'),
    duration(seconds) {
      const value = Math.max(0, seconds);
      if (value < 120) return durations.second.format(Math.round(value));
      if (value < 7_200) return durations.minute.format(Math.floor(value / 60));
      if (value < 172_800) return durations.hour.format(Math.floor(value / 3_600));
      return durations.day.format(Math.floor(value / 86_400));
    },
    clock: (time) => clock.format(time),
    dateTime: (time) => dateTime.format(time),
    day: (date) => day.format(Date.parse(date)),
  };
}
