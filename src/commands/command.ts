/** A subcommand of `dynamo-csv`. Each is a file of this folder and a line in `commands.ts`. */
export interface Command {
  /** The first word of the command line: `demo`. */
  readonly name: string;
  /** What `dynamo-csv --help` prints behind the name: a clause without a full stop. */
  readonly summary: string;
  /** Whether it answers `--help` itself; by default `runCommand` prints the summary. */
  readonly hasOwnHelp?: true;
  /**
   * Runs it. Load what it needs here and not at the top of the file: a running service needs no subcommand.
   *
   * `argv`: the arguments behind the name. Resolves to the exit code: 0, 1 for a failure whose reason was printed to
   * standard error, 78 for a mistake on the command line or in the configuration.
   */
  run(argv: readonly string[]): Promise<number>;
}
