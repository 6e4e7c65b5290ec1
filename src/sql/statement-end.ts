/**
 * The tokens of a text by the rules of DuckDB's scanner, which are PostgreSQL's: spaces and semicolons, comments (block
 * comments nest), names, strings (with escapes in E'…', dollar-quoted) and single characters.
 */
const PART =
  /([\s;]+|--[^\n\r]*)|(\/\*)|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|[eE]'(?:[^'\\]+|\\[\s\S]|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'[^']*'|"[^"]*"|[\s\S]/gy;
const COMMENT_EDGE = /\/\*|\*\//g;

/** A statement that DuckDB has parsed, without trailing semicolons and comments. */
export function withoutEnd(statement: string): string {
  let end = 0;
  let at = 0;
  while (at < statement.length) {
    PART.lastIndex = at;
    const [part, blank, comment, dollar] = PART.exec(statement)!;
    at += part.length;
    if (comment !== undefined) at = behindComment(statement, at);
    else if (dollar !== undefined) at = behind(statement, dollar, at);
    if (blank === undefined && comment === undefined) end = at;
  }
  return statement.slice(0, end);
}

/** The offset after a comment; `at` is the offset after its opening. */
function behindComment(text: string, at: number): number {
  COMMENT_EDGE.lastIndex = at;
  for (let depth = 1; depth > 0; ) {
    const edge = COMMENT_EDGE.exec(text);
    if (edge === null) return text.length;
    depth += edge[0] === '/*' ? 1 : -1;
  }
  return COMMENT_EDGE.lastIndex;
}

function behind(text: string, end: string, at: number): number {
  const found = text.indexOf(end, at);
  return found === -1 ? text.length : found + end.length;
}
