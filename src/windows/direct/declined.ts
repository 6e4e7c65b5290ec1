/**
 * A cell in a form that is not the service's own, such as a time with an offset. DuckDB knows what it means, so the
 * window is handed to DuckDB instead of being guessed at here.
 */
export class Declined extends Error {
  override readonly name = 'Declined';
}
