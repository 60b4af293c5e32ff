import { expect, it } from "vitest";
import { addCost, noCost, readCost } from "./querycost";

const header = "rows=120000;bytes=9437184;cpu_ms=41;queued_ms=3;cache_bytes=81920";

it("reads the header of an answer", () => {
  expect(readCost(header)).toEqual({ rows: 120_000, bytes: 9_437_184, cpuMs: 41, queuedMs: 3 });
});

it("takes what is not told for nothing", () => {
  expect(readCost(null)).toEqual(noCost);
});

it("adds up", () => {
  expect(addCost(readCost(header), readCost("rows=1;bytes=2"))).toEqual({
    rows: 120_001,
    bytes: 9_437_186,
    cpuMs: 41,
    queuedMs: 3,
  });
});
