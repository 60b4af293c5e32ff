import { describe, expect, it } from "vitest";
import type { Pipeline } from "../data/pipelines";
import { placed, readPipeline, readPipelines, writePipelines } from "./pipelineyaml";

const pipeline: Pipeline = {
  name: "shop",
  enabled: true,
  steps: [
    { name: "hide", kind: "redact", patterns: ["email"], match: ['log.attributes["app"] == "shop"'] },
    { name: "say", kind: "transform", statements: ['set(log.body, "it\'s \\\\d+")', "plain", "a\nb", "12"] },
    { name: "team", kind: "route", stream: { team: "unknown", "a.b": "" } },
    { name: "half", kind: "sample", ratio: 0.5 },
  ],
};

const text = `name: shop
enabled: true
steps:
  - name: hide
    kind: redact
    match:
      - 'log.attributes["app"] == "shop"'
`;

describe("pipelines as YAML", () => {
  it("are read as they were written", () => {
    expect(readPipeline(writePipelines(pipeline))).toEqual({ pipeline });
    expect(readPipelines(writePipelines([pipeline, pipeline]))).toEqual({ pipelines: [pipeline, pipeline] });
    expect(readPipelines(writePipelines([]))).toEqual({ pipelines: [] });
    expect(readPipelines("")).toEqual({ pipelines: [] });
  });

  it("look as one writes them", () => {
    const first = { name: "hide", kind: "redact" as const, match: ['log.attributes["app"] == "shop"'] };
    expect(writePipelines({ name: "shop", enabled: true, steps: [first] })).toBe(text);
    expect(writePipelines([{ name: "a", enabled: true, steps: [] }])).toBe(
      "- name: a\n  enabled: true\n  steps: []\n",
    );
  });

  it("may be JSON", () => {
    expect(readPipeline(JSON.stringify(pipeline, null, 2))).toEqual({ pipeline });
  });

  it.each([
    ["name: [", 1, /YAML/],
    ["name: a\nsteps: &x []", 2, /anchor/],
    ["steps: []", 1, /object with a name/],
    ["name: a\nsteps: 1", 1, /list of steps/],
  ])("%j has a fault on line %d", (written, line, message) => {
    const read = readPipeline(written);
    if (!("fault" in read)) throw new Error("it was read");
    expect(read.fault.line).toBe(line);
    expect(read.fault.message).toMatch(message);
  });

  it("have faults in the one that is wrong", () => {
    const read = readPipelines("- name: a\n  steps: []\n- name: b\n");
    expect(read).toEqual({ fault: { line: 3, message: "A pipeline has a list of steps." } });
    expect(readPipelines("name: a")).toEqual({
      fault: { line: 1, message: "This must be a list of pipelines." },
    });
  });

  it.each([
    ["", 1],
    ["/name", 1],
    ["/steps/0", 4],
    ["/steps/0/kind", 5],
    ["/steps/0/match/0", 7],
    ["/steps/0/statements/1", 4],
    ["/steps/7", 3],
  ])("have the fault at %j on line %d", (pointer, line) => {
    expect(placed(text, [{ pointer, detail: "Wrong." }])).toEqual([{ line, message: "Wrong." }]);
  });
});
