import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { request } from "../lib/api";
import { type LogLine, selectorOf } from "../lib/loglines";
import type { components } from "../lib/schema";

type LogContext = components["schemas"]["LogContext"];

export type ContextLine = components["schemas"]["LogContextLine"] & {
  /** The container's labels, to tell lines of a pod's containers apart. */
  readonly labels: Readonly<Record<string, string>>;
};

export type ContextScope = "stream" | "pod";

const pageLines = 25;

/** useLogContext shows the lines around a line; further ones are loaded on both sides. */
export function useLogContext(line: LogLine, scope: ContextScope) {
  const select = useCallback(
    ({ pages }: InfiniteData<LogContext, string>): readonly ContextLine[] =>
      pages.flatMap(({ streams, lines }) =>
        lines.map((one) => ({ ...one, labels: streams[one.stream] ?? {} })),
      ),
    [],
  );
  return useInfiniteQuery({
    queryKey: ["log-context", line.ns, line.line, line.labels, scope],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<LogContext>("/api/v1/logs/context", {
        query: pageParam
          ? { cursor: pageParam, limit: pageLines }
          : {
              stream: selectorOf(line.labels),
              time: line.ns,
              line: line.line,
              scope,
              before: pageLines,
              after: pageLines,
            },
        purpose: { class: "adhoc", part: "logs/context" },
        signal,
      }),
    getNextPageParam: ({ after }) => (after?.more ? after.cursor : undefined),
    getPreviousPageParam: ({ before }) => (before?.more ? before.cursor : undefined),
    select,
    structuralSharing: false,
  });
}
