import { describe, expect, it } from "vitest";
import { adviseCPU, adviseMemory, joinRows, podsOf } from "./kubernetes";

const mib = 1024 * 1024;

describe("joinRows", () => {
  it("joins by the labels of an object and drops what is gone", () => {
    const of = (pod: string, value: string, more = {}) => ({
      metric: { pod, ...more },
      value: [0, value] as const,
    });
    const rows = joinRows(
      ["pod"],
      ["info", "cpu"],
      [[of("a", "1", { node: "n" })], [of("a", "0.5"), of("gone", "2")]],
    );
    expect(rows).toEqual([{ key: "a", labels: { pod: "a", node: "n" }, values: { info: 1, cpu: 0.5 } }]);
  });
});

describe("advice", () => {
  it("says whether a request of CPU fits", () => {
    expect(adviseCPU(0.2, 0.3)).toEqual({ request: 0.23, verdict: "fits" });
    expect(adviseCPU(0.2, 2).verdict).toBe("too much");
    expect(adviseCPU(0.2, 0.1).verdict).toBe("too little");
    expect(adviseCPU(0, undefined)).toEqual({ request: 0.01, verdict: "unset" });
  });

  it("leaves memory room above the highest", () => {
    expect(adviseMemory(100 * mib, 128 * mib)).toEqual({
      request: 120 * mib,
      limit: 184 * mib,
      verdict: "fits",
    });
    expect(adviseMemory(100 * mib, 100 * mib).verdict).toBe("too little");
  });
});

describe("podsOf", () => {
  it("fits the names that controllers give", () => {
    const fits = (kind: string, name: string) =>
      new RegExp(`^${podsOf("Deployment", "web")}$`).test(name) && kind !== "";
    expect(fits("Deployment", "web-7c9d8f6b5-x2x4z")).toBe(true);
    expect(fits("Deployment", "web-api-7c9d8f6b5-x2x4z")).toBe(false);
    expect(podsOf("StatefulSet", "db")).toBe("db-[0-9]+");
  });
});
