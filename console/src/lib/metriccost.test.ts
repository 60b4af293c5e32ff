import { expect, it } from "vitest";
import { costWords, readCost } from "./metriccost";

const headers = new Headers({
  "Seamark-Query-Id": "01K9",
  "Seamark-Query-Cost": "rows=120000;bytes=9437184;cpu_ms=41;queued_ms=0;cache_bytes=81920",
});

it("reads the headers of an answer", () => {
  expect(readCost(headers)).toEqual({
    queryId: "01K9",
    rows: 120_000,
    bytes: 9_437_184,
    cpuMs: 41,
    queuedMs: 0,
    cacheBytes: 81_920,
  });
});

it("takes what is not told for nothing", () => {
  expect(readCost(new Headers())).toEqual({
    queryId: undefined,
    rows: 0,
    bytes: 0,
    cpuMs: 0,
    queuedMs: 0,
    cacheBytes: 0,
  });
});

it("says what it costs, and leaves out what is zero", () => {
  expect(costWords(readCost(headers))).toEqual([
    "9 MiB read",
    "120 k rows",
    "80 KiB from the cache",
    "41 ms of CPU",
  ]);
});
