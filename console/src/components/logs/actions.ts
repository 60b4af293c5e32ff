import type { LogLine } from "../../lib/loglines";

/** Where a value stands: on the stream, sent with the line, or found in it by a parser. */
export type ValueKind = "label" | "metadata" | "parsed";

/** What can be done with a line. The object keeps its identity, so that rows are not drawn again. */
export interface LineActions {
  /** Narrows the query to a value (=) or excludes it (!=); parser is what finds the field, where the query does not. */
  filter(kind: ValueKind, name: string, op: "=" | "!=", value: string, parser?: string): void;
  /** Shows the lines around it. */
  context(line: LogLine): void;
  /** Gives a label or field a column of its own, or takes it away. */
  column(name: string): void;
  /** The address that shows this line again. */
  linkOf(line: LogLine): string;
  /** The page of its pod, where it names one. */
  podLink(line: LogLine): string | undefined;
  /** The lines of its trace, where it names one. */
  traceLink(line: LogLine): string | undefined;
}
