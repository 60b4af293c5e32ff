import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type RequestOptions, request, respond } from "../lib/api";
import { type QueryCost, readCost } from "../lib/metriccost";
import type { components } from "../lib/schema";
import type { SqlValue } from "../lib/sqlparams";
import { type SqlColumn, SqlReader, type SqlRow } from "../lib/sqlstream";
import type { BackgroundRequest } from "./queryjobs";

export type SqlSchema = components["schemas"]["SqlSchema"];
export type SqlView = components["schemas"]["SqlView"];
export type SqlPlan = components["schemas"]["SqlPlan"];

const path = "/api/v1/sql";

/** A statement with the values of its parameters. */
export interface SqlAsk {
  readonly query: string;
  readonly parameters: Readonly<Record<string, SqlValue>>;
}

export const sqlFormats = ["csv", "json", "ndjson", "arrow", "parquet"] as const;
export type SqlFormat = (typeof sqlFormats)[number];

/** useSqlSchema lists the views with their columns. */
export function useSqlSchema() {
  return useQuery({
    queryKey: ["sql", "schema"],
    staleTime: Infinity,
    queryFn: ({ signal }) => request<SqlSchema>(`${path}/schema`, { signal }),
  });
}

/** useSqlPlan says what a statement would read, before it runs. */
export function useSqlPlan(ask: SqlAsk, enabled: boolean) {
  return useQuery({
    queryKey: ["sql", "plan", ask],
    enabled: enabled && ask.query.trim() !== "",
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      request<SqlPlan>(`${path}/explain`, {
        method: "POST",
        json: ask,
        purpose: { class: "dashboard", part: "sql/plan" },
        signal,
      }),
  });
}

function optionsOf(ask: SqlAsk, format: SqlFormat): RequestOptions {
  return { method: "POST", json: { ...ask, format }, purpose: { class: "adhoc", part: "sql/query" } };
}

/** sqlRequest is how a statement is sent to the background. */
export function sqlRequest(ask: SqlAsk): BackgroundRequest {
  return { path, ...optionsOf(ask, "json") };
}

/** What of an answer has come so far. */
export interface SqlProgress {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly SqlRow[];
  readonly cost: QueryCost;
}

export interface SqlEnd {
  /** Rows are left out because there are more than a page can hold. */
  readonly isCut: boolean;
}

/** The most rows of an answer that a page holds: beyond, a table cannot be read and the browser's memory counts. */
export const maxSqlRows = 100_000;

// The page is drawn anew this often while rows come; in between, the rows are taken apart in slices.
const drawMs = 120;
const sliceMs = 12;

interface ReadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SqlProgress) => void;
}

/** runSql asks a statement and hands on its rows as they come. It rejects when the answer is cut off. */
export async function runSql(ask: SqlAsk, options: ReadOptions): Promise<SqlEnd> {
  return read(await respond(path, { ...optionsOf(ask, "json"), signal: options.signal }), options);
}

/** readSqlJob reads the answer of a background job. */
export async function readSqlJob(resultPath: string, options: ReadOptions): Promise<SqlEnd> {
  return read(await respond(resultPath, { signal: options.signal }), options);
}

// Parts of the network may be megabytes; so many characters are read between two looks at the clock.
const partLength = 65_536;

async function read(response: Response, { signal, onProgress }: ReadOptions): Promise<SqlEnd> {
  const cost = readCost(response.headers);
  const reader = new SqlReader();
  const rows: SqlRow[] = [];
  let columns: readonly SqlColumn[] = [];
  let drawnAt = 0;
  let sliceFrom = performance.now();
  const parts = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (parts) {
    const { done, value } = await parts.read();
    if (done) break;
    for (let at = 0; at < value.length; at += partLength) {
      const piece = reader.push(value.slice(at, at + partLength));
      columns = piece.columns ?? columns;
      for (const row of piece.rows) rows.push(row);
      if (rows.length >= maxSqlRows) {
        await parts.cancel();
        onProgress({ columns, rows: rows.slice(0, maxSqlRows), cost });
        return { isCut: true };
      }
      if (performance.now() - sliceFrom > sliceMs) {
        // Lets the browser draw and take keys.
        await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
        sliceFrom = performance.now();
      }
    }
    if (performance.now() - drawnAt > drawMs && columns.length > 0) {
      onProgress({ columns, rows: rows.slice(), cost });
      drawnAt = performance.now();
    }
  }
  onProgress({ columns, rows, cost });
  if (!reader.whole)
    throw new Error("The answer was cut off before its end; what came is shown. Run it again.");
  return { isCut: false };
}

/** downloadSql returns the whole answer as a file. */
export async function downloadSql(ask: SqlAsk, format: SqlFormat, signal: AbortSignal): Promise<Blob> {
  return (await respond(path, { ...optionsOf(ask, format), headers: { Accept: "*/*" }, signal })).blob();
}
