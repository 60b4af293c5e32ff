import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { respond } from "../lib/api";
import { type LineQuery, lineParams, logHeaders, logLinesKey, readLines } from "./logs";
import { type QueryJob, resultPathOf, useEndQueryJob, useQueryJob, useStartQueryJob } from "./queryjobs";

/** A query for lines that takes more than one may at once, run in the background. */

// What the server returns at most (--query.max-entries); a job has one page.
const jobLines = 5000;

/** useStartLogJob sends a query for lines to the background. */
export function useStartLogJob(asked: LineQuery) {
  const start = useStartQueryJob();
  const at = asked.direction === "backward" ? asked.interval.toMs : asked.interval.fromMs;
  const begin = () =>
    start.mutate({
      path: "/loki/api/v1/query_range",
      query: lineParams(asked, `${Math.floor(at)}000000`, jobLines),
      headers: logHeaders,
      purpose: { class: "adhoc", part: "logs/job" },
    });
  return { ...start, begin };
}

/** useLogJob follows a job, and when it is done puts its lines where useLogLines finds them. */
export function useLogJob(id: string, asked: LineQuery) {
  const client = useQueryClient();
  const job = useQueryJob(id);
  const end = useEndQueryJob();
  const take = useMutation({
    mutationFn: async (done: QueryJob) => {
      const startedMs = performance.now();
      const response = await respond(resultPathOf(done.id));
      const page = await readLines(response, { limit: jobLines, direction: asked.direction }, startedMs);
      const cost = { ...page.cost, rows: done.rows, bytes: done.bytes };
      return { ...page, cost, nextNs: undefined };
    },
    onSuccess: (page) => client.setQueryData(logLinesKey(asked), { pages: [page], pageParams: [""] }),
  });
  const { mutate } = take;
  const taken = useRef(false);
  useEffect(() => {
    if (job.data?.state !== "done" || taken.current) return;
    taken.current = true;
    mutate(job.data);
  }, [job.data, mutate]);
  return { job: job.data, error: job.error ?? take.error, cancel: () => end.mutate(id) };
}
