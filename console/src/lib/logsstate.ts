import type { Codec } from "./urlstate";

/** What the page of logs shows, as its address says it. */
export interface LogsState {
  /** LogQL, or plain words to search for; "" shows everything. */
  readonly query: string;
  /** The levels to show; none means all. */
  readonly levels: readonly string[];
  readonly wrapped: boolean;
  readonly view: "lines" | "patterns";
  /** The query is written with the builder rather than as text. */
  readonly builder: boolean;
  readonly oldestFirst: boolean;
  /** Labels and fields that have columns of their own before the line. */
  readonly columns: readonly string[];
  /** Lines are shown as they arrive. */
  readonly live: boolean;
  /** The time, in nanoseconds, of the line that a link is about. */
  readonly line: string;
}

export const emptyLogs: LogsState = {
  query: "",
  levels: [],
  wrapped: false,
  view: "lines",
  builder: false,
  oldestFirst: false,
  columns: [],
  live: false,
  line: "",
};

export const logsCodec: Codec<LogsState> = {
  read: (params) => ({
    query: params.get("q") ?? "",
    levels: listOf(params.get("level")),
    wrapped: params.get("wrap") === "1",
    view: params.get("view") === "patterns" ? "patterns" : "lines",
    builder: params.get("builder") === "1",
    oldestFirst: params.get("order") === "oldest",
    columns: listOf(params.get("columns")),
    live: params.get("live") === "1",
    line: /^\d{1,20}$/.exec(params.get("line") ?? "")?.[0] ?? "",
  }),
  write(params, value) {
    put(params, "q", value.query);
    put(params, "level", value.levels.join(","));
    put(params, "wrap", value.wrapped ? "1" : "");
    put(params, "view", value.view === "patterns" ? "patterns" : "");
    put(params, "builder", value.builder ? "1" : "");
    put(params, "order", value.oldestFirst ? "oldest" : "");
    put(params, "columns", value.columns.join(","));
    put(params, "live", value.live ? "1" : "");
    put(params, "line", value.line);
  },
};

function listOf(text: string | null): string[] {
  return (text ?? "").split(",").filter(Boolean);
}

function put(params: URLSearchParams, name: string, value: string): void {
  if (value) params.set(name, value);
  else params.delete(name);
}
