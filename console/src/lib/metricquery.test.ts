import { describe, expect, it } from "vitest";
import { bucketSelector, familyOf, filled, selectorOf, starterQuery, unitOf } from "./metricquery";

describe("starterQuery", () => {
  it.each([
    ["up", "gauge", "up"],
    ["http_requests_total", "counter", "sum(rate(http_requests_total[5m]))"],
    ["node_time", "counter", "sum(rate(node_time[5m]))"],
    ["x_seconds_count", undefined, "sum(rate(x_seconds_count[5m]))"],
    ["x_seconds_bucket", "histogram", "histogram_quantile(0.95, sum by (le) (rate(x_seconds_bucket[5m])))"],
  ])("begins with %s (%s)", (name, type, want) => {
    expect(starterQuery(name, type)).toBe(want);
  });

  it("takes a selector along", () => {
    expect(starterQuery("a_total", "counter", 'a_total{b="c"}')).toBe('sum(rate(a_total{b="c"}[5m]))');
  });
});

describe("familyOf", () => {
  const metadata = { x_seconds: [{ type: "histogram" }], up: [{ type: "gauge" }] };
  it.each([
    ["x_seconds_bucket", "histogram"],
    ["up", "gauge"],
    ["unknown", undefined],
  ])("finds that of %s", (name, want) => {
    expect(familyOf(name, metadata)?.type).toBe(want);
  });
});

describe("selectorOf", () => {
  it.each([
    [[], "up"],
    [[{ label: "job", values: [] }], "up"],
    [[{ label: "job", values: ['a"b'] }], 'up{job="a\\"b"}'],
    [[{ label: "le", values: ["0.5", "+Inf"] }], 'up{le=~"0\\\\.5|\\\\+Inf"}'],
  ])("writes %j", (matchers, want) => {
    expect(selectorOf("up", matchers)).toBe(want);
  });
});

describe("unitOf", () => {
  it.each([
    ["node_memory_MemAvailable_bytes", "bytes"],
    ["sum(rate(container_network_receive_bytes_total[5m]))", "bytes/s"],
    ["histogram_quantile(0.95, sum by (le) (rate(x_seconds_bucket[5m])))", "seconds"],
    ["sum(rate(http_requests_total[5m]))", "/s"],
    ["rate(container_cpu_usage_seconds_total[5m])", ""],
    ["process_start_time_seconds", ""],
    ["a_errors_total / a_total * 100", "percent"],
    ["sum(rate(x_seconds_sum[5m])) / sum(rate(x_seconds_count[5m]))", "seconds"],
    ["node_memory_a_bytes / node_memory_b_bytes", ""],
    ['up{path="/a/b"}', ""],
    ["count by (x) (container_memory_bytes)", ""],
    ["cache_hit_ratio", "ratio"],
  ])("of %s", (expr, want) => {
    expect(unitOf(expr)).toBe(want);
  });
});

describe("heatmaps", () => {
  it("find the buckets that a query reads", () => {
    expect(bucketSelector('histogram_quantile(0.9, rate(x_bucket{a="b"}[5m]))')).toBe('x_bucket{a="b"}');
    expect(bucketSelector("up")).toBeUndefined();
  });

  it("count at least a minute, as samples come that often", () => {
    expect(filled("increase(x[$__interval])", 300)).toBe("increase(x[300s])");
    expect(filled("increase(x[$__interval])", 5)).toBe("increase(x[60s])");
  });
});
