/**
 * Shifts the clock of a whole process by `CLOCK_SHIFT` milliseconds: `NODE_OPTIONS=--import=<this module>`. Only what the
 * process asks for itself: timers run as ever, and files have the times of the machine.
 */
const shift = Number(process.env.CLOCK_SHIFT ?? 0);
const Real = Date;

class ShiftedDate extends Real {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(ShiftedDate.now());
    else super(...(given as [number]));
  }

  static override now(): number {
    return Real.now() + shift;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
