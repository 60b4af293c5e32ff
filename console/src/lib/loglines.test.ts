import { describe, expect, it } from "vitest";
import { joinPages, originOf, type RawStream, toPage } from "./loglines";

const t = (n: number) => `170000000000000000${n}`;
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
    expect(page.lines[1]?.fields).toEqual({ detected_level: "error", x: "1" });
    expect(page.lines[0]?.ms).toBe(1_700_000_000_000);
    expect(page.nextEndNs).toBeUndefined();
  });

  it("a full page goes on at the oldest time, which it asks for again", () => {
    expect(toPage([stream({}, [t(5), "a"], [t(4), "b"])], 2).nextEndNs).toBe(t(5));
  });

  it("a full page of one time moves on", () => {
    expect(toPage([stream({}, [t(5), "a"], [t(5), "b"])], 2).nextEndNs).toBe(t(5));
  });

  it("nothing has no next page", () => {
    expect(toPage([], 0).nextEndNs).toBeUndefined();
  });
});

it("joins pages that overlap at the seam and keeps true repeats", () => {
  const first = toPage([stream({}, [t(5), "a"], [t(4), "b"], [t(4), "b"])], 3);
  const second = toPage([stream({}, [t(4), "b"], [t(4), "b"], [t(4), "c"], [t(3), "b"])], 9);
  expect(joinPages([first, second]).map((l) => l.line)).toEqual(["a", "b", "b", "c", "b"]);
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
