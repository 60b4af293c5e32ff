import { expect, it } from "vitest";
import { jsonOf, nameOfPath } from "./logjson";

it("reads documents and nothing else", () => {
  expect(jsonOf(' {"a":1}')).toEqual({ a: 1 });
  expect(jsonOf("{broken")).toBeUndefined();
  expect(jsonOf("level=info")).toBeUndefined();
  expect(jsonOf("12")).toBeUndefined();
});

it("names leaves as the parser does", () => {
  expect(nameOfPath(["req", "url"])).toBe("req_url");
  expect(nameOfPath(["time spent"])).toBe("time_spent");
});
