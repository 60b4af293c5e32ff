import type { DashboardVariable } from "./dashboardmodel";
import { formatDuration } from "./duration";
import type { Codec } from "./urlstate";

/** The chosen values by variable; ["$__all"] is all of them. */
export type Choices = Readonly<Record<string, readonly string[]>>;

export const allValues = "$__all";

/** choicesCodec keeps choices in the URL as `var-name=value`, once for each value, as Grafana's links have them. */
export const choicesCodec: Codec<Choices> = {
  read(params) {
    const choices: Record<string, string[]> = {};
    for (const [name, value] of params) {
      if (!name.startsWith("var-")) continue;
      const of = name.slice(4);
      choices[of] = [...(choices[of] ?? []), value];
    }
    return choices;
  },
  write(params, choices) {
    for (const name of [...params.keys()]) if (name.startsWith("var-")) params.delete(name);
    for (const [name, values] of Object.entries(choices)) {
      for (const value of values) params.append(`var-${name}`, value);
    }
  },
};

/** valuesOf is what a variable stands for: what was chosen, else its default, else all, else the first that there is. */
export function valuesOf(
  variable: DashboardVariable,
  choices: Choices,
  options: readonly string[] = variable.values ?? [],
): readonly string[] {
  const chosen = choices[variable.name];
  if (variable.type !== "constant" && chosen && chosen.length > 0) return chosen;
  if (variable.default && variable.default.length > 0) return variable.default;
  if (variable.include_all) return [allValues];
  const first = options[0] ?? variable.values?.[0];
  return first === undefined ? [] : [first];
}

/** What macros are made from. */
export interface MacroTimes {
  readonly stepSeconds: number;
  readonly rangeSeconds: number;
}

/** How often agents scrape unless told otherwise; a rate needs four of those at least. */
const scrapeSeconds = 15;

function macros({ stepSeconds, rangeSeconds }: MacroTimes): Record<string, string> {
  const rate = Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds);
  const of = (name: string, seconds: number) => ({
    [`__${name}`]: formatDuration(seconds),
    [`__${name}_s`]: String(seconds),
    [`__${name}_ms`]: String(seconds * 1000),
  });
  const range = Math.max(1, Math.round(rangeSeconds));
  return {
    ...of("interval", stepSeconds),
    ...of("rate_interval", rate),
    ...of("range", range),
    ...of("auto", stepSeconds),
  };
}

/**
 * interpolate puts values in for `$name`, `${name}`, `${name:format}` and `[[name]]`. Within a query several values, and values of
 * variables that allow several, become a regular expression; a name that is unknown stays as it is, so that the fault is seen.
 */
export function interpolate(
  text: string,
  values: Readonly<Record<string, readonly string[]>>,
  times: MacroTimes,
  asRegex: boolean,
): string {
  const known = macros(times);
  return text.replace(
    /\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]/g,
    (whole, plain?: string, braced?: string, format?: string, old?: string) => {
      const name = plain ?? braced ?? old ?? "";
      if (known[name] !== undefined) return known[name];
      // A value may itself be a macro: the interval that follows the range.
      const chosen = values[name]?.map((value) =>
        value === allValues ? value : (known[value.replace(/^\$/, "")] ?? value),
      );
      if (chosen === undefined) return whole;
      return asRegex
        ? inQuery(chosen, format)
        : chosen.map((value) => (value === allValues ? "All" : value)).join(", ");
    },
  );
}

function inQuery(chosen: readonly string[], format: string | undefined): string {
  if (chosen.includes(allValues)) return ".*";
  if (format === "csv") return chosen.join(",");
  if (format === "raw" || (chosen.length === 1 && format !== "regex")) return chosen[0] ?? "";
  // A backslash is doubled, as the expression stands within a quoted string.
  const escaped = chosen.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&"));
  return `(${escaped.join("|")})`;
}

/** namesIn lists the variables that a text names, in the order in which they are known. */
export function namesIn(text: string, variables: readonly DashboardVariable[]): string[] {
  return variables
    .map(({ name }) => name)
    .filter((name) => new RegExp(`\\$${name}\\b|\\$\\{${name}[:}]|\\[\\[${name}\\]\\]`).test(text));
}

/** What a variable of type query asks; nothing for other types. */
export interface VariableAsk {
  readonly query: string;
  /** Whether it names one whose values are not known yet. */
  readonly waits: boolean;
}

/**
 * asksInOrder fills the values of variables into the queries of those that follow. What a query has found is undefined while it is not
 * known.
 */
export function asksInOrder(
  variables: readonly DashboardVariable[],
  choices: Choices,
  times: MacroTimes,
  found: (variable: DashboardVariable, query: string) => readonly string[] | undefined,
): VariableAsk[] {
  const chosen: Record<string, readonly string[]> = {};
  for (const variable of variables) chosen[variable.name] = valuesOf(variable, choices);
  const unknown = new Set<string>();
  return variables.map((variable) => {
    const { name, type, query = "" } = variable;
    if (type !== "query") return { query: "", waits: false };
    const filled = interpolate(query, chosen, times, true).trim();
    const waits = namesIn(query, variables).some((other) => unknown.has(other));
    const options = waits ? undefined : found(variable, filled);
    const values = valuesOf(variable, choices, options ?? []);
    if (values.length === 0 && options === undefined && filled) unknown.add(name);
    chosen[name] = values;
    return { query: filled, waits };
  });
}

/** What a variable of type query asks for. */
export type VariableQuery =
  | { readonly kind: "labels"; readonly label: string; readonly selector: string }
  | { readonly kind: "promql"; readonly query: string };

/** parseVariableQuery reads label_values(label), label_values(selector, label), or takes the text as PromQL. */
export function parseVariableQuery(text: string): VariableQuery {
  const call = /^\s*label_values\(\s*(?:([\s\S]*?)\s*,\s*)?([A-Za-z_]\w*)\s*\)\s*$/.exec(text);
  if (call) return { kind: "labels", selector: call[1] ?? "", label: call[2] ?? "" };
  const result = /^\s*query_result\(([\s\S]*)\)\s*$/.exec(text);
  return { kind: "promql", query: (result?.[1] ?? text).trim() };
}

/** matching keeps the values that a pattern matches; its first group is the value, when it has one. */
export function matching(values: readonly string[], pattern: string | undefined): string[] {
  if (!pattern) return [...values];
  let regex: RegExp;
  try {
    regex = new RegExp(pattern);
  } catch {
    return [...values];
  }
  const found = values.flatMap((value) => {
    const match = regex.exec(value);
    return match ? [match[1] ?? match[0]] : [];
  });
  return [...new Set(found)];
}

/** legendOf fills {{label}} in a legend with a series' labels. */
export function legendOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => labels[name] ?? "").trim();
}
