/**
 * What a text consists of, by the rules of DuckDB's scanner, which are PostgreSQL's: spaces and semicolons, comments
 * (those between slashes nest), names, texts (with a backslash in E'…', between dollars) and single characters.
 */
const PART =
  /([\s;]+|--[^\n\r]*)|(\/\*)|(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|[eE]'(?:[^'\\]+|\\[\s\S]|'')*'|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|'[^']*'|"[^"]*"|[\s\S]/gy;
const COMMENT_EDGE = /\/\*|\*\//g;

/** One statement, which DuckDB understands, without the semicolons and comments behind it. */
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

/** `at` is behind the beginning of the comment. */
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
