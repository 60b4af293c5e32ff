import { describe, expect, it } from "vitest";
import { nextSort, readSort, type Sort, sortRows, writeSort } from "./tablesort";

describe("sortRows", () => {
  const rows = [
    { name: "pod-10", size: 3 },
    { name: "pod-2", size: null },
    { name: "Pod-1", size: 3 },
    { name: "pod-3", size: 1 },
  ];
  const names = (sorted: readonly { name: string }[]) => sorted.map(({ name }) => name);

  it("counts the numbers in names, in any case", () => {
    expect(names(sortRows(rows, ({ name }) => name, false))).toEqual(["Pod-1", "pod-2", "pod-3", "pod-10"]);
  });

  it("keeps the order of equal rows and puts those without a value last, both ways", () => {
    expect(names(sortRows(rows, ({ size }) => size, false))).toEqual(["pod-3", "pod-10", "Pod-1", "pod-2"]);
    expect(names(sortRows(rows, ({ size }) => size, true))).toEqual(["pod-10", "Pod-1", "pod-3", "pod-2"]);
  });

  it("leaves the rows as they were", () => {
    const before = names(rows);
    sortRows(rows, ({ name }) => name, false);
    expect(names(rows)).toEqual(before);
  });
});

describe("nextSort", () => {
  it("goes up, down and back", () => {
    const up = nextSort(undefined, "a", false);
    const down = nextSort(up, "a", false);
    expect([up, down, nextSort(down, "a", false)]).toEqual([
      { key: "a", down: false },
      { key: "a", down: true },
      undefined,
    ]);
  });

  it("begins downwards where the column wants it, and anew on another column", () => {
    expect(nextSort({ key: "a", down: true }, "b", true)).toEqual({ key: "b", down: true });
    expect(nextSort({ key: "b", down: true }, "b", true)).toEqual({ key: "b", down: false });
  });
});

it.each<[Sort | undefined]>([[undefined], [{ key: "name", down: false }], [{ key: "at", down: true }]])(
  "%j goes through the URL",
  (sort) => {
    expect(readSort(writeSort(sort))).toEqual(sort);
  },
);
