/** Small edits of LogQL texts. The server parses; this knows just enough to find selectors and to quote. */

/** Every stream carries the cluster that sent it, so this selects all of them. */
export const allStreams = '{cluster=~".+"}';

export type QueryForm = "words" | "lines" | "metric";

/** formOf tells plain words from a log query and a log query from one that computes numbers. */
export function formOf(input: string): QueryForm {
  const text = input.trim();
  if (text.startsWith("{")) return "lines";
  return text.includes("{") && /\(.*\{/s.test(text) ? "metric" : "words";
}

/** toLogQL makes a query of what was typed: words become a case-insensitive search in all streams. */
export function toLogQL(input: string): string {
  const text = input.trim();
  if (text === "") return allStreams;
  if (formOf(text) !== "words") return text;
  return `${allStreams} |~ ${quote(`(?i)${escapeRegExp(text)}`)}`;
}

/** withLevels narrows a log query to levels; none means all. A line without a level counts as unknown. */
export function withLevels(query: string, levels: readonly string[]): string {
  if (levels.length === 0) return query;
  const names = levels.includes("unknown") ? [...levels, ""] : levels;
  return `${query} | detected_level=~${quote(names.join("|"))}`;
}

/** countByLevel counts the lines that a log query shows, those that a parser of it cannot read among them: a count fails on them. */
export function countByLevel(query: string, stepSeconds: number): string {
  return `sum by (detected_level) (count_over_time(${query} | drop __error__, __error_details__ [${stepSeconds}s]))`;
}

/** addMatcher puts a matcher into the query's first stream selector, in place of one for the same label. */
export function addMatcher(query: string, name: string, op: "=" | "!=", value: string): string {
  const end = selectorEnd(query);
  if (!query.startsWith("{") || end < 0) return query;
  const matcher = `${name}${op}${quote(value)}`;
  const kept = splitMatchers(query.slice(1, end)).filter((m) => !sameTarget(m, name, op));
  return `{${[...kept, matcher].join(", ")}}${query.slice(end + 1)}`;
}

/** addLabelFilter appends a filter on a field of the line. */
export function addLabelFilter(query: string, name: string, op: "=" | "!=", value: string): string {
  return `${query} | ${name}${op}${quote(value)}`;
}

const parsers = /\|\s*(?:json|logfmt|unpack|pattern|regexp)\b/;

/** addParsedFilter appends a filter on a field that a parser finds, and that parser where the query has none. */
export function addParsedFilter(
  query: string,
  parser: string | undefined,
  name: string,
  op: "=" | "!=",
  value: string,
): string {
  const base = parser && !parsers.test(query) ? `${query} | ${parser}` : query;
  return addLabelFilter(base, name, op, value);
}

/** addLineFilter puts a filter of lines right after the selector, where it costs least. */
export function addLineFilter(query: string, op: "|=" | "|>" | "!>", value: string): string {
  const end = selectorEnd(query);
  if (!query.startsWith("{") || end < 0) return query;
  return `${query.slice(0, end + 1)} ${op} ${quote(value)}${query.slice(end + 1)}`;
}

/** selectorText is the query's first selector, without what follows. */
export function selectorText(query: string): string {
  const end = selectorEnd(query);
  return query.startsWith("{") && end >= 0 ? query.slice(0, end + 1) : allStreams;
}

/** quote writes text as a LogQL or PromQL string: as JSON does, which both read. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** An exact matcher makes all others of its label needless; an exclusion only repeats itself. */
function sameTarget(matcher: string, name: string, op: string): boolean {
  const found = /^\s*([\w.]+)\s*(=~|!~|!=|=)/.exec(matcher);
  return found?.[1] === name && (op === "=" || (found[2] === "=~" && matcher.endsWith('=~".+"')));
}

/** selectorEnd finds the brace that closes the first selector, minding strings; -1 when none does. */
function selectorEnd(query: string): number {
  return scan(query, (char) => char === "}");
}

function splitMatchers(body: string): string[] {
  const parts: string[] = [];
  let rest = body;
  for (let at = scan(rest, (c) => c === ","); at >= 0; at = scan(rest, (c) => c === ",")) {
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  parts.push(rest);
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** scan returns the first place outside of strings where found says yes, or -1. */
function scan(text: string, found: (char: string) => boolean): number {
  let open = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (open) {
      if (char === "\\" && open === '"') i++;
      else if (char === open) open = "";
    } else if (char === '"' || char === "`") open = char;
    else if (found(char)) return i;
  }
  return -1;
}

/** topValues counts the lines of each value of a label or field, of the most frequent values. */
export function topValues(
  query: string,
  name: string,
  parser: string | undefined,
  rangeSeconds: number,
): string {
  const base = parser && !parsers.test(query) ? `${query} | ${parser}` : query;
  const lines = `${base} | drop __error__, __error_details__`;
  return `topk(${mostValues}, sum by (${name}) (count_over_time(${lines} [${rangeSeconds}s])))`;
}

// What a person looks through; typing into the query finds the others.
export const mostValues = 20;

/** alertExpr makes an expression that an alert can watch: a query for lines is counted over five minutes. */
export function alertExpr(input: string): string {
  const query = toLogQL(input);
  return formOf(query) === "metric" ? query : `sum(count_over_time(${query} [5m])) > 0`;
}
