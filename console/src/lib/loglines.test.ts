import { describe, expect, it } from "vitest";
import {
  carried,
  joinPages,
  originOf,
  type PageShape,
  podPath,
  type RawStream,
  selectorOf,
  toPage as toAnyPage,
  traceOf,
} from "./loglines";

const t = (n: number) => `170000000000000000${n}`;
const toPage = (
  streams: readonly RawStream[],
  limit: number,
  direction: PageShape["direction"] = "backward",
) => toAnyPage(streams, { limit, direction });
const stream = (labels: Record<string, string>, ...values: RawStream["values"]): RawStream => ({
  stream: labels,
  values,
});

describe("toPage", () => {
  it("sorts newest first over streams and reads levels wherever they stand", () => {
    const page = toPage(
      [
        stream({ app: "a", detected_level: "warn" }, [t(1), "one"], [t(3), "three"]),
        stream({ app: "b" }, [
          t(2),
          "two",
          { structuredMetadata: { detected_level: "error" }, parsed: { x: "1" } },
        ]),
        stream({ app: "c" }, [t(0), "zero"]),
      ],
      10,
    );
    expect(page.lines.map((l) => [l.line, l.level])).toEqual([
      ["three", "warn"],
      ["two", "error"],
      ["one", "warn"],
      ["zero", "unknown"],
    ]);
    expect(page.lines[1]?.metadata).toEqual({ detected_level: "error" });
    expect(page.lines[1]?.parsed).toEqual({ x: "1" });
    expect(page.lines[0]?.ms).toBe(1_700_000_000_000);
    expect(page.nextNs).toBeUndefined();
  });

  it("a full page goes on at the oldest time, which it asks for again", () => {
    expect(toPage([stream({}, [t(5), "a"], [t(4), "b"])], 2).nextNs).toBe(t(5));
  });

  it("a full page of one time moves on", () => {
    expect(toPage([stream({}, [t(5), "a"], [t(5), "b"])], 2).nextNs).toBe(t(5));
  });

  it("nothing has no next page", () => {
    expect(toPage([], 0).nextNs).toBeUndefined();
  });
});

it("joins pages that overlap at the seam and keeps true repeats", () => {
  const first = toPage([stream({}, [t(5), "a"], [t(4), "b"], [t(4), "b"])], 3);
  const second = toPage([stream({}, [t(4), "b"], [t(4), "b"], [t(4), "c"], [t(3), "b"])], 9);
  expect(joinPages([first, second]).map((l) => l.line)).toEqual(["a", "b", "b", "c", "b"]);
});

it("oldest first, a full page goes on at the newest time", () => {
  const first = toPage([stream({}, [t(4), "b"], [t(3), "a"], [t(4), "c"])], 3, "forward");
  expect(first.lines.map((l) => l.line)).toEqual(["a", "b", "c"]);
  expect(first.nextNs).toBe(t(4));
  const second = toPage([stream({}, [t(4), "b"], [t(4), "c"], [t(5), "d"])], 9, "forward");
  expect(joinPages([first, second]).map((l) => l.line)).toEqual(["a", "b", "c", "d"]);
  expect(toPage([stream({}, [t(4), "b"], [t(4), "c"])], 2, "forward").nextNs).toBe(t(5));
});

it("knows where a line leads", () => {
  const labels = { cluster: "eu", namespace: "shop", pod: "cart-0/1" };
  expect(podPath(labels)).toBe("/kubernetes/pods/eu/shop/cart-0%2F1");
  expect(podPath({ pod: "x" })).toBeUndefined();
  expect(selectorOf({ app: 'a"b', x: "1" })).toBe('{app="a\\"b", x="1"}');
  const id = "0fbbb7d8faf5f14747e3b36cf30446dc";
  const line = (values: Record<string, string>) =>
    toPage([stream({}, [t(1), "x", { structuredMetadata: values }])], 9).lines[0];
  const [traced, other] = [line({ trace_id: id }), line({ trace_id: "-" })];
  expect(traced && traceOf(traced)).toBe(id);
  expect(other && traceOf(other)).toBeUndefined();
});

it.each([
  [{ namespace: "shop", pod: "web-1", app: "web" }, "shop/web-1"],
  [{ app: "web" }, "web"],
  [{ namespace: "shop" }, "shop"],
  [{ cluster: "prod" }, "prod"],
  [{}, ""],
])("origin of %j", (labels, want) => {
  expect(originOf(labels)).toBe(want);
});

describe("carried", () => {
  const earlier = toPage([stream({ app: "a" }, [t(1), "one"], [t(2), "two"], [t(2), "two"])], 10).lines;

  it("finds lines again, whatever a parser has found in them since", () => {
    const later = toPage(
      [stream({ app: "a" }, [t(3), "three"], [t(1), "one", { parsed: { x: "1" } }])],
      10,
    ).lines;
    expect(carried(earlier, later)).toEqual([later[1]]);
  });

  it("takes lines that are alike as often as they were there, and those of other streams not at all", () => {
    const later = toPage([stream({ app: "a" }, [t(2), "two"], [t(2), "two"])], 10).lines;
    expect(carried(earlier.slice(0, 1), later)).toEqual([later[0]]);
    expect(carried(earlier, later)).toEqual([...later]);
    expect(carried(earlier, toPage([stream({ app: "b" }, [t(1), "one"])], 10).lines)).toEqual([]);
  });
});
