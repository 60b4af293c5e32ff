import { quote } from "./logql";

/**
 * A log query as parts that a form can show. What the form has no inputs for is kept as it is written; what it could only show by
 * leaving something out, it refuses with the reason.
 */

export const matcherOps = ["=", "!=", "=~", "!~"] as const;
export const lineOps = ["|=", "!=", "|~", "!~", "|>", "!>"] as const;
export const fieldOps = ["=", "!=", "=~", "!~", ">", ">=", "<", "<="] as const;
export const parserNames = ["json", "logfmt", "pattern", "regexp", "unpack"] as const;

export type MatcherOp = (typeof matcherOps)[number];
export type LineOp = (typeof lineOps)[number];
export type FieldOp = (typeof fieldOps)[number];
export type ParserName = (typeof parserNames)[number];

export interface Matcher {
  readonly name: string;
  readonly op: MatcherOp;
  readonly value: string;
}

export type Stage =
  | { readonly kind: "line"; readonly op: LineOp; readonly value: string }
  | { readonly kind: "parser"; readonly name: ParserName; readonly value: string }
  | { readonly kind: "field"; readonly name: string; readonly op: FieldOp; readonly value: string }
  /** Any other stage, with its pipe, as written. */
  | { readonly kind: "raw"; readonly text: string };

export interface LogQuery {
  readonly matchers: readonly Matcher[];
  readonly stages: readonly Stage[];
}

export type Parsed = { readonly query: LogQuery } | { readonly reason: string };

/** hasArgument says whether a parser needs an expression to find fields by. */
export function hasArgument(name: ParserName): boolean {
  return name === "pattern" || name === "regexp";
}

class Unreadable extends Error {}

/** parseQuery takes a log query apart, or says why it cannot. */
export function parseQuery(text: string): Parsed {
  const reader = new Reader(text);
  try {
    reader.space();
    if (!reader.at("{")) throw new Unreadable(whyNoSelector(text));
    const matchers = readMatchers(reader);
    const stages: Stage[] = [];
    for (reader.space(); !reader.done; reader.space()) stages.push(readStage(reader));
    return { query: { matchers, stages } };
  } catch (error) {
    if (error instanceof Unreadable) return { reason: error.message };
    throw error;
  }
}

function whyNoSelector(text: string): string {
  return /\(.*\{/s.test(text)
    ? "The query computes numbers, and the builder shows queries for lines. Write it as text."
    : "The builder needs a query that begins with a selector, such as {namespace=…}.";
}

function readMatchers(reader: Reader): Matcher[] {
  const matchers: Matcher[] = [];
  reader.take("{");
  for (reader.space(); !reader.at("}"); reader.space()) {
    const name = reader.match(/[A-Za-z_][\w.]*/y);
    reader.space();
    const op = reader.match(/=~|!~|!=|=/y);
    reader.space();
    const value = reader.string();
    if (!name || !op || value === undefined)
      throw new Unreadable(`The selector is not complete ${reader.where()}.`);
    matchers.push({ name, op: op as MatcherOp, value });
    reader.space();
    if (!reader.at("}")) reader.take(",");
  }
  reader.take("}");
  return matchers;
}

function readStage(reader: Reader): Stage {
  const start = reader.place;
  const stage = readLine(reader) ?? readPiped(reader);
  if (stage && reader.endsStage()) return stage;
  // What looks like a known stage but goes on, such as |= "a" or "b", is kept whole.
  reader.place = start;
  return { kind: "raw", text: reader.rest() };
}

function readLine(reader: Reader): Stage | undefined {
  const op = reader.match(/\|=|\|~|\|>|!=|!~|!>/y);
  if (!op) return undefined;
  reader.space();
  const value = reader.string();
  return value === undefined ? undefined : { kind: "line", op: op as LineOp, value };
}

function readPiped(reader: Reader): Stage | undefined {
  if (!reader.match(/\|/y)) throw new Unreadable(`The builder cannot read the query ${reader.where()}.`);
  reader.space();
  const name = reader.match(/[A-Za-z_][\w.]*/y);
  if (!name) return undefined;
  reader.space();
  if ((parserNames as readonly string[]).includes(name)) {
    const value = hasArgument(name as ParserName) ? reader.string() : "";
    return value === undefined ? undefined : { kind: "parser", name: name as ParserName, value };
  }
  const op = reader.match(/=~|!~|!=|>=|<=|==|=|>|</y);
  if (!op) return undefined;
  reader.space();
  const value = reader.string() ?? reader.match(/-?\d[\w.]*/y);
  if (value === undefined) return undefined;
  return { kind: "field", name, op: (op === "==" ? "=" : op) as FieldOp, value };
}

/** Reader goes over a text from left to right. */
class Reader {
  place = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.place >= this.text.length;
  }

  at(part: string): boolean {
    return this.text.startsWith(part, this.place);
  }

  where(): string {
    return this.done ? "at its end" : `at "${this.text.slice(this.place, this.place + 12)}"`;
  }

  space(): void {
    this.match(/\s+/y);
    if (this.at("#")) throw new Unreadable("The query has a comment, which the builder would lose.");
  }

  take(part: string): void {
    if (!this.at(part)) throw new Unreadable(`The builder expects ${part} ${this.where()}.`);
    this.place += part.length;
  }

  /** match takes what the sticky expression finds here. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.place;
    const found = expression.exec(this.text)?.[0];
    if (found !== undefined) this.place += found.length;
    return found;
  }

  string(): string | undefined {
    const start = this.place;
    const quoted = this.match(/"(?:\\.|[^"\\])*"|`[^`]*`/y);
    if (quoted === undefined) return undefined;
    if (quoted.startsWith("`")) return quoted.slice(1, -1);
    try {
      return JSON.parse(quoted) as string;
    } catch {
      this.place = start; // An escape that only Go knows: the stage is kept as it is written.
      return undefined;
    }
  }

  endsStage(): boolean {
    const after = this.text.slice(this.place).trimStart();
    return after === "" || /^(?:\||!=|!~|!>|#)/.test(after);
  }

  /** rest takes all up to the next pipe outside of strings. */
  rest(): string {
    const found = this.match(/\s*(?:!|\|)?(?:"(?:\\.|[^"\\])*"|`[^`]*`|[^|"`])*/y);
    if (!found?.trim()) throw new Unreadable(`The builder cannot read the query ${this.where()}.`);
    return found.trim();
  }
}

/** writeQuery is parseQuery's way back. */
export function writeQuery({ matchers, stages }: LogQuery): string {
  const selector = `{${matchers.map(({ name, op, value }) => `${name}${op}${text(value)}`).join(", ")}}`;
  return [selector, ...stages.map(writeStage)].join(" ");
}

function writeStage(stage: Stage): string {
  switch (stage.kind) {
    case "line":
      return `${stage.op} ${text(stage.value)}`;
    case "parser":
      return `| ${stage.name}${hasArgument(stage.name) ? ` ${text(stage.value)}` : ""}`;
    case "field":
      return `| ${stage.name}${stage.op}${isBare(stage) ? stage.value : text(stage.value)}`;
    case "raw":
      return stage.text;
  }
}

/** Numbers, durations and sizes are compared as such only without quotes. */
function isBare({ op, value }: { op: FieldOp; value: string }): boolean {
  return [">", ">=", "<", "<="].includes(op) && /^-?\d[\w.]*$/.test(value);
}

/** text prefers backticks where quotes would need escapes, as people do for expressions. */
function text(value: string): string {
  return /["\\]/.test(value) && !/[`\n\r\t]/.test(value) ? `\`${value}\`` : quote(value);
}

/** isComplete says whether a query can be run: a part without its name or its value is still being written. */
export function isComplete({ matchers, stages }: LogQuery): boolean {
  return matchers.every(({ name }) => name !== "") && stages.every(isWritten);
}

function isWritten(stage: Stage): boolean {
  switch (stage.kind) {
    case "line":
      return stage.value !== "";
    case "parser":
      return !hasArgument(stage.name) || stage.value !== "";
    case "field":
      return stage.name !== "" && (stage.value !== "" || stage.op === "=" || stage.op === "!=");
    case "raw":
      return stage.text !== "";
  }
}
