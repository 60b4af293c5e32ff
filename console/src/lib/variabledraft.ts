import type { DashboardSpec, DashboardVariable } from "./dashboardmodel";
import { allValues, namesIn, type VariableQuery } from "./dashboardvariables";
import { parseDuration } from "./duration";
import { faultsByField } from "./formfaults";

/** What variables of dashboards look like while somebody edits them, apart from the drawing so that it can be tested. */

export type VariableType = DashboardVariable["type"];

export const variableTypes: readonly {
  readonly value: VariableType;
  readonly label: string;
  readonly about: string;
}[] = [
  { value: "query", label: "Query", about: "Values that series have now: a label's, or a query's." },
  { value: "custom", label: "List", about: "Values that you write down." },
  { value: "interval", label: "Interval", about: "Spans of time, such as the width of a rate." },
  { value: "text", label: "Text", about: "Whatever the viewer types." },
  { value: "constant", label: "Constant", about: "One value that viewers cannot change." },
];

/** The server keeps no more of them. */
export const maxVariables = 30;
const maxValues = 100;

/** The fields of the form that something can be wrong with. */
export type VariableField = "name" | "query" | "pattern" | "values" | "default";
export type VariableFaults = Readonly<Partial<Record<VariableField, string>>>;

/** newVariable has a name that is free. */
export function newVariable(others: readonly DashboardVariable[]): DashboardVariable {
  const taken = new Set(others.map(({ name }) => name));
  let number = others.length + 1;
  while (taken.has(`variable${number}`)) number++;
  return { name: `variable${number}`, type: "query", query: "" };
}

/** listsValues says whether a type has values to choose several of, or all. */
export function listsValues(type: VariableType): boolean {
  return type === "query" || type === "custom";
}

/** withType keeps what the new type has a use for. */
export function withType(variable: DashboardVariable, type: VariableType): DashboardVariable {
  const { name, label, hidden, query, pattern, values, multi, include_all } = variable;
  return {
    name,
    type,
    ...(label && { label }),
    ...(hidden && { hidden }),
    ...(type === "query" && { query: query ?? "", ...(pattern && { pattern }) }),
    ...(type === "custom" && { values: values ?? [] }),
    ...(type === "interval" && {
      values: values?.length ? values : ["$__rate_interval", "1m", "5m", "30m", "1h"],
    }),
    ...(listsValues(type) && { ...(multi && { multi }), ...(include_all && { include_all }) }),
  };
}

/** tidy leaves out what is empty, as the document does. */
export function tidy(variable: DashboardVariable): DashboardVariable {
  const { label, pattern, values, default: chosen, multi, include_all, hidden, ...rest } = variable;
  const trimmed = (list: readonly string[] = []) => list.map((one) => one.trim()).filter(Boolean);
  return {
    ...rest,
    ...(label?.trim() && { label: label.trim() }),
    ...(pattern && { pattern }),
    ...(trimmed(values).length > 0 && { values: trimmed(values) }),
    ...(trimmed(chosen).length > 0 && { default: trimmed(chosen) }),
    ...(multi && { multi }),
    ...(include_all && { include_all }),
    ...(hidden && { hidden }),
  };
}

/** faultsOf is what the server or the viewer would stumble over. */
export function faultsOf(variable: DashboardVariable, all: readonly DashboardVariable[]): VariableFaults {
  const { name, type, query = "", pattern, values = [], default: chosen = [] } = variable;
  const filled = values.filter((value) => value.trim());
  const listed = type === "custom" || type === "interval";
  const badSpan = filled.find((value) => parseDuration(value) === undefined && !value.startsWith("$__"));
  return {
    ...nameFault(name, all),
    ...(type === "query" && !query.trim() && { query: "Say where the values come from." }),
    ...(type === "query" && pattern && !isRegex(pattern) && { pattern: "This is no regular expression." }),
    ...(listed && filled.length === 0 && { values: "Write down one value at least." }),
    ...(listed &&
      filled.length > maxValues && {
        values: `There are ${filled.length} values; at most ${maxValues} fit.`,
      }),
    ...(type === "interval" &&
      badSpan !== undefined && { values: `${badSpan} is no span of time; write 30s, 5m, 1h or 1d.` }),
    ...(listed &&
      chosen.some((one) => one !== allValues && !filled.includes(one)) && {
        default: "The default is not among the values.",
      }),
    ...(type === "constant" && !chosen[0]?.trim() && { default: "A constant needs its value." }),
  };
}

function nameFault(name: string, all: readonly DashboardVariable[]): VariableFaults {
  if (name.trim() === "") return { name: "Give it a name; queries say $name." };
  if (name.startsWith("__")) return { name: "Names that begin with two underscores are the console's own." };
  if (!/^[A-Za-z_]\w*$/.test(name))
    return { name: "Letters, digits and underscores, and no digit at the beginning." };
  if (name.length > 60) return { name: `The name has ${name.length} characters; at most 60 fit.` };
  if (all.filter((one) => one.name === name).length > 1) return { name: "Another variable has this name." };
  return {};
}

function isRegex(pattern: string): boolean {
  try {
    new RegExp(pattern);
    return true;
  } catch {
    return false;
  }
}

/** textOf writes a variable's query as the document has it. */
export function textOf(query: VariableQuery): string {
  if (query.kind === "promql") return query.query;
  if (!query.label && !query.selector) return "";
  return query.selector ? `label_values(${query.selector}, ${query.label})` : `label_values(${query.label})`;
}

/** usesOf counts the panels and the other variables that name a variable. */
export function usesOf({ panels, variables = [] }: DashboardSpec, name: string): number {
  const one = [{ name, type: "text" as const }];
  const named = (text: string | undefined) => namesIn(text ?? "", one).length > 0;
  const inPanels = panels.filter(
    ({ title, queries = [], options }) =>
      named(title) || named(options?.text) || queries.some(({ query }) => named(query)),
  );
  return inPanels.length + variables.filter((other) => other.name !== name && named(other.query)).length;
}

const fields: readonly VariableField[] = ["name", "query", "pattern", "values", "default"];

/** refusedVariables reads what a server that refused a dashboard said of each of its variables. */
export function refusedVariables(error: unknown, count: number): VariableFaults[] {
  return Array.from({ length: count }, (_, place) => {
    const pointers = Object.fromEntries(fields.map((field) => [field, `/variables/${place}/${field}`]));
    return faultsByField(error, fields, pointers).fields;
  });
}
