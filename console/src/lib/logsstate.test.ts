import { expect, it } from "vitest";
import { emptyLogs, type LogsState, logsCodec } from "./logsstate";
import { withValue } from "./urlstate";

it.each<LogsState>([
  emptyLogs,
  { ...emptyLogs, query: '{app="a,b"} |= "x & y"', levels: ["error", "warn"], wrapped: true },
  { ...emptyLogs, builder: true, oldestFirst: true, columns: ["pod", "trace_id"], live: true },
  { ...emptyLogs, view: "patterns", line: "1795303787984043052" },
])("goes through the address and back: %j", (state) => {
  const params = withValue(new URLSearchParams("last=5m"), logsCodec, state);
  expect(logsCodec.read(new URLSearchParams(params.toString()))).toEqual(state);
  expect(params.get("last")).toBe("5m");
});

it("leaves nothing of what is as it begins in the address", () => {
  const before = withValue(new URLSearchParams(), logsCodec, { ...emptyLogs, live: true, columns: ["a"] });
  expect(withValue(before, logsCodec, emptyLogs).toString()).toBe("");
});

it("takes no line that is no time", () => {
  expect(logsCodec.read(new URLSearchParams("line=x1")).line).toBe("");
});
