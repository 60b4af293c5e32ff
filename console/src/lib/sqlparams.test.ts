import { describe, expect, it } from "vitest";
import { parametersOf, readValue, valuesOf } from "./sqlparams";

describe("parametersOf", () => {
  it("finds each once, with types that hold quotes and brackets", () => {
    const sql = "SELECT {a:String}, {b: Array(UInt8)}, {a:String} WHERE t > {from:DateTime64(3, 'UTC')}";
    expect(parametersOf(sql)).toEqual([
      { name: "a", type: "String" },
      { name: "b", type: "Array(UInt8)" },
      { name: "from", type: "DateTime64(3, 'UTC')" },
    ]);
  });

  it("leaves strings, names, comments and what is not finished alone", () => {
    const sql = "SELECT '{a:String}', \"{b:Int8}\", '''{c:Int8}' -- {d:Int8}\n/* {e:Int8} */, {f:, {g";
    expect(parametersOf(sql)).toEqual([]);
  });
});

describe("readValue", () => {
  it.each([
    ["shop", "String", "shop"],
    ["42", "UInt32", 42],
    ["18446744073709551615", "UInt64", "18446744073709551615"],
    ["x", "UInt8", "x"],
    ["", "Nullable(Int32)", null],
    ["7", "Nullable(Int32)", 7],
    ["TRUE", "Bool", true],
    ["a, b", "Array(String)", ["a", "b"]],
    ["[1,2]", "Array(UInt8)", [1, 2]],
  ])("reads %j as %s", (text, type, want) => {
    expect(readValue(text, type)).toEqual(want);
  });
});

it("fills in the range unless something is typed", () => {
  const parameters = parametersOf("{from:DateTime64(3)} {to:DateTime} {ns:String}");
  const range = { fromMs: Date.UTC(2026, 10, 21, 1, 2, 3, 456), toMs: Date.UTC(2026, 10, 21, 4) };
  expect(valuesOf(parameters, { ns: "shop" }, range)).toEqual({
    from: "2026-11-21 01:02:03.456",
    to: "2026-11-21 04:00:00",
    ns: "shop",
  });
  expect(valuesOf(parameters, { to: "2026-01-01 00:00:00" }, range).to).toBe("2026-01-01 00:00:00");
});
