/** EX_CONFIG of sysexits.h: "something was found in an unconfigured or misconfigured state". */
export const EXIT_CONFIGURATION = 78;

/** Everything that is wrong with the configuration, at once. The process ends with `exitCode` before anything is touched. */
export class ConfigMistakes extends Error {
  override readonly name = 'ConfigMistakes';
  readonly code = 'CONFIG_MISTAKES';
  readonly exitCode = EXIT_CONFIGURATION;
  /** One line each: where, what is wrong, the remedy. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
  }
}
