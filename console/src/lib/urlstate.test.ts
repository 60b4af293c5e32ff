import { describe, expect, it } from "vitest";
import { defaultRange, fixed, type TimeRange } from "./timerange";
import {
  type Codec,
  metricsCodec,
  rangeCodec,
  refreshCodec,
  sharedParams,
  textCodec,
  withChange,
  withValue,
} from "./urlstate";

function roundTrip<T>(codec: Codec<T>, value: T): T {
  const params = withValue(new URLSearchParams("other=1"), codec, value);
  expect(params.get("other")).toBe("1");
  return codec.read(new URLSearchParams(params.toString()));
}

// Text that breaks careless encoders: separators, quotes, emoji, line ends, what looks like an escape.
const awkward = '{a="b&c=d"} |~ `x+y%20#?` |= "é🦭\n"';

describe("round trip", () => {
  it.each<TimeRange>([
    defaultRange,
    { kind: "last", seconds: 300 },
    { kind: "last", seconds: 5400 },
    fixed(Date.UTC(2026, 10, 21, 3, 4, 5, 678), Date.UTC(2026, 10, 21, 4)),
  ])("range %j", (range) => {
    expect(roundTrip(rangeCodec, range)).toEqual(range);
  });

  it("metrics", () => {
    expect(roundTrip(metricsCodec, { q: awkward })).toEqual({ q: awkward });
  });

  it.each([0, 10, 60])("refresh every %d s", (seconds) => {
    expect(roundTrip(refreshCodec, seconds)).toBe(seconds);
  });
});

describe("a change", () => {
  const codec = textCodec(["a", "b", "c"]);
  const shown = { a: "1", b: "2", c: "" };

  it("leaves alone what was changed since the page was drawn", () => {
    const params = withChange(new URLSearchParams("a=1&b=9&other=1"), codec, shown, {
      ...shown,
      a: "",
      c: "3",
    });
    expect(params.toString()).toBe("b=9&other=1&c=3");
  });

  it("writes again what the address has lost, when it differs from what was drawn", () => {
    expect(withChange(new URLSearchParams(), codec, shown, { ...shown, a: "4" }).toString()).toBe("a=4");
  });

  it("takes parameters of one name together", () => {
    const list = {
      read: (params: URLSearchParams) => params.getAll("q"),
      write(params: URLSearchParams, value: readonly string[]) {
        params.delete("q");
        for (const one of value) params.append("q", one);
      },
    };
    const params = withChange(new URLSearchParams("q=x&q=y"), list, ["x", "y"], ["x", "y", "z"]);
    expect(params.getAll("q")).toEqual(["x", "y", "z"]);
  });
});

describe("links", () => {
  it("default state writes nothing", () => {
    const params = withValue(new URLSearchParams(), rangeCodec, defaultRange);
    expect(params.toString()).toBe("");
  });

  it.each(["last=banana", "from=x&to=y", "from=2026-01-02T00:00:00Z", "from=1700000001000&to=1700000000000"])(
    "a broken range %j becomes the default",
    (search) => {
      expect(rangeCodec.read(new URLSearchParams(search))).toEqual(defaultRange);
    },
  );

  it("ranges may be Unix milliseconds", () => {
    const range = rangeCodec.read(new URLSearchParams("from=1700000000000&to=1700000060000"));
    expect(range).toEqual({ kind: "fixed", fromMs: 1_700_000_000_000, toMs: 1_700_000_060_000 });
  });

  it("only the range and the refresh go along to another page", () => {
    expect(sharedParams(new URLSearchParams("q=up&last=5m&refresh=10s&level=error")).toString()).toBe(
      "last=5m&refresh=10s",
    );
  });
});
