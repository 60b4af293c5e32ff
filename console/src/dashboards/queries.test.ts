import { expect, it } from "vitest";
import type { DashboardVariable } from "../lib/dashboardmodel";
import { interpolate, parseVariableQuery, valuesOf } from "../lib/dashboardvariables";
import { kubeLists } from "../lib/kubernetesqueries";
import { builtIns } from ".";

/** A text that the server is asked, as the file for the server's parsers holds it. */
interface Asked {
  readonly where: string;
  readonly language: "promql" | "logql" | "selector";
  readonly query: string;
}

const times = { stepSeconds: 30, rangeSeconds: 3600 };

/** What people choose: nothing, and several values with signs that regular expressions know. */
const choices = (variables: readonly DashboardVariable[]) => {
  const of = (pick: (variable: DashboardVariable) => readonly string[]) =>
    Object.fromEntries(variables.map((variable) => [variable.name, pick(variable)]));
  return [
    of((variable) => valuesOf(variable, {})),
    of((variable) => (variable.multi ? ["one.two", "three+"] : (variable.values?.slice(-1) ?? ["one"]))),
  ];
};

function asked(): Asked[] {
  const found = builtIns.flatMap(({ id, spec }) => {
    const variables = spec.variables ?? [];
    return choices(variables).flatMap((values) => [
      ...variables.flatMap((variable): Asked[] => {
        if (variable.type !== "query") return [];
        const read = parseVariableQuery(interpolate(variable.query ?? "", values, times, true));
        const where = `${id} $${variable.name}`;
        if (read.kind === "promql") return [{ where, language: "promql", query: read.query }];
        return read.selector ? [{ where, language: "selector", query: read.selector }] : [];
      }),
      ...spec.panels.flatMap(({ title, queries = [] }) =>
        queries.map(
          ({ language, query }): Asked => ({
            where: `${id} ${title}`,
            language,
            query: interpolate(query, values, times, true),
          }),
        ),
      ),
    ]);
  });
  const lists = kubeLists.flatMap((list) =>
    [{}, { cluster: "eu", namespace: "shop" }].flatMap((within) =>
      Object.entries(list.measures(within)).map(
        ([name, { query }]): Asked => ({ where: `kubernetes ${list.id} ${name}`, language: "promql", query }),
      ),
    ),
  );
  return [...new Map([...found, ...lists].map((one) => [JSON.stringify(one), one])).values()];
}

// The server's own parsers read the file in internal/app's tests; after a change, `npx vitest run --project unit -u` writes it anew.
it("asks what stands in the file that the server's parsers are tried on", async () => {
  const all = asked();
  for (const { where, query } of all) expect(query, where).not.toMatch(/\$[A-Za-z_{]|undefined|\[\[/);
  await expect(`${JSON.stringify(all, null, 2)}\n`).toMatchFileSnapshot("testdata/queries.json");
});
