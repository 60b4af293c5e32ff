import { describe, expect, it } from "vitest";
import { type SqlColumn, SqlReader, type SqlRow } from "./sqlstream";

const answer = JSON.stringify(
  {
    meta: [
      { name: "a", type: "String" },
      { name: "m", type: "Map(String, String)" },
      { name: "n", type: "UInt64" },
    ],
    data: [
      { a: 'x"}],{', m: { "{": "\\" }, n: 1 },
      { a: "data", m: {}, n: null },
    ],
    rows: 2,
    statistics: { elapsed: 0.1, data: [{ a: "no row" }] },
  },
  null,
  "\t",
);

function readIn(text: string, size: number) {
  const reader = new SqlReader();
  const rows: SqlRow[] = [];
  let columns: readonly SqlColumn[] | undefined;
  for (let at = 0; at < text.length; at += size) {
    const piece = reader.push(text.slice(at, at + size));
    rows.push(...piece.rows);
    columns ??= piece.columns;
  }
  return { rows, names: columns?.map(({ name }) => name), whole: reader.whole };
}

describe("SqlReader", () => {
  it.each([1, 2, 7, 64, 100_000])("reads the same in pieces of %i", (size) => {
    expect(readIn(answer, size)).toEqual({
      names: ["a", "m", "n"],
      rows: [
        ['x"}],{', { "{": "\\" }, 1],
        ["data", {}, null],
      ],
      whole: true,
    });
  });

  it("has the rows of an answer that was cut off, and says that it was", () => {
    const cut = answer.slice(0, answer.indexOf('"data",'));
    expect(readIn(cut, 10)).toMatchObject({ rows: [['x"}],{', { "{": "\\" }, 1]], whole: false });
  });

  it("has columns without rows", () => {
    expect(readIn('{"meta":[{"name":"a","type":"UInt8"}],"data":[],"rows":0}', 5)).toEqual({
      names: ["a"],
      rows: [],
      whole: true,
    });
  });

  it("does not round numbers", () => {
    const text = '{"meta":[{"name":"a","type":"UInt64"}],"data":[{"a":18446744073709551615}]}';
    expect(String(readIn(text, 9).rows[0]?.[0])).toBe("18446744073709551615");
  });
});
