import { describe, expect, it } from "vitest";
import { agentOf, agents } from "./agents";
import { targetOf } from "./target";

const token = "smk_ingest_abc_def";
const target = targetOf("eu-1", "https://seamark.example.com", token);

describe("targetOf", () => {
  it("tells the port that the scheme implies", () => {
    expect(target).toMatchObject({ host: "seamark.example.com", port: 443, tls: true });
    expect(targetOf("a", "http://10.0.0.7", token)).toMatchObject({ host: "10.0.0.7", port: 80, tls: false });
    expect(targetOf("a", "http://127.0.0.1:4480/", token)).toMatchObject({
      url: "http://127.0.0.1:4480",
      port: 4480,
    });
  });
});

describe("agents", () => {
  it("fills in address and token, so that nothing is left to replace", () => {
    for (const agent of agents) {
      const text = agent.steps.map((step) => step.text(target)).join("\n");
      expect(text, agent.id).toContain(token);
      expect(text, agent.id).toContain("seamark.example.com");
      expect(text, agent.id).not.toMatch(/undefined|<[a-z-]+>|smk_ingest_\.\.\./);
    }
  });

  // deploy/test has the agents' own code load these files, where it can be had. `npx vitest run --project unit -u` writes them anew.
  it.each(agents.flatMap(({ id, steps }) => steps.map((step, i) => [`${id}-${i + 1}`, step] as const)))(
    "writes %s as the agents' own code was tried with it",
    async (name, step) => {
      await expect(`${step.text(target)}\n`).toMatchFileSnapshot(`testdata/${name}.txt`);
    },
  );

  it("indents YAML by spaces alone and by steps of two", () => {
    for (const { id, steps } of agents.filter(({ id }) => !["curl", "kubectl", "alloy"].includes(id))) {
      for (const line of steps.flatMap((step) => step.text(target).split("\n"))) {
        expect(line, id).toMatch(/^( {2})*\S/);
      }
    }
  });

  it("has lines of JSON that can be read in the commands of curl", () => {
    const body = /--data-binary '(\{.*\})'$/.exec(agentOf("curl").steps[0]?.text(target) ?? "")?.[1];
    expect(JSON.parse(body ?? "")).toMatchObject({ message: "Hello from eu-1", level: "error" });
  });

  it("takes the first one where the URL names none", () => {
    expect(agentOf("gone").id).toBe("otel");
    expect(agentOf("vector").id).toBe("vector");
  });
});
