/** Where in a query a parser stopped, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * positionOf finds the position in a parse error as Prometheus ("1:7: parse error: ..."), this server ("parse error at 1:7: ...")
 * and Loki ("line 1, col 7") write it.
 */
export function positionOf(message: string): Position | undefined {
  const found =
    /(?:^|[\s"])(\d+):(\d+): parse error/.exec(message) ??
    /parse error at (\d+):(\d+)/.exec(message) ??
    /line (\d+), col(?:umn)? (\d+)/.exec(message);
  if (!found) return undefined;
  return { line: Number(found[1]), column: Number(found[2]) };
}

/** splitAt cuts the query's line at the position: what is right, the offender, the rest; undefined when outside. */
export function splitAt(
  query: string,
  at: Position,
): [before: string, mark: string, after: string] | undefined {
  const line = query.split("\n")[at.line - 1];
  if (line === undefined || at.column < 1 || at.column > line.length + 1) return undefined;
  const start = at.column - 1;
  const word = /^(\w+|\W)/.exec(line.slice(start))?.[0] ?? " ";
  return [line.slice(0, start), word, line.slice(start + word.length)];
}
