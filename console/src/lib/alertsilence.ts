import type { Matcher } from "../data/silences";
import { parseDuration } from "./duration";
import type { Labels } from "./matrix";

/** The ways a matcher compares, as Alertmanager writes them. */
export const operators = ["=", "!=", "=~", "!~"] as const;
export type Operator = (typeof operators)[number];

export function operatorOf({ isEqual, isRegex }: Matcher): Operator {
  return isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
}

export function withOperator(matcher: Matcher, operator: Operator): Matcher {
  return { ...matcher, isRegex: operator.endsWith("~"), isEqual: !operator.startsWith("!") };
}

export function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}

/** writeMatcher writes a matcher as Alertmanager's YAML and amtool do. */
export function writeMatcher(matcher: Matcher): string {
  return `${matcher.name}${operatorOf(matcher)}${JSON.stringify(matcher.value)}`;
}

/** readMatcher reads what writeMatcher writes, and the same without quotes; undefined when it is none. */
export function readMatcher(text: string): Matcher | undefined {
  const found = /^\s*([a-zA-Z_][\w.]*)\s*(=~|!~|!=|=)\s*([\s\S]*?)\s*$/.exec(text);
  if (!found) return undefined;
  const [, name = "", operator = "=", rest = ""] = found;
  let value = rest;
  if (/^"[\s\S]*"$/.test(rest)) {
    try {
      value = String(JSON.parse(rest));
    } catch {
      value = rest.slice(1, -1);
    }
  }
  return withOperator({ name, value, isRegex: false, isEqual: true }, operator as Operator);
}

/** matcherFault says what is wrong with a matcher; undefined when nothing is. */
export function matcherFault({ name, value, isRegex }: Matcher): string | undefined {
  if (!/^[a-zA-Z_][\w.]*$/.test(name)) return "Name a label, such as namespace.";
  if (!isRegex) return undefined;
  try {
    new RegExp(value);
    return undefined;
  } catch {
    return "That is not a regular expression.";
  }
}

/** matches says whether all matchers hold of the labels. A label that is absent has the value "", as in Alertmanager. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ name, value, isRegex, isEqual }) => {
    const given = labels[name] ?? "";
    if (!isRegex) return (given === value) === isEqual;
    try {
      return new RegExp(`^(?:${value})$`).test(given) === isEqual;
    } catch {
      return false;
    }
  });
}

/** matchesEverything says whether matchers hold of an alert without labels, which Alertmanager refuses of silences. */
export function matchesEverything(matchers: readonly Matcher[]): boolean {
  return matches(matchers, {});
}

/** The lengths that silences are mostly wanted for. */
export const silencePresets = ["30m", "1h", "2h", "4h", "8h", "1d", "3d", "7d"] as const;

export function presetSeconds(preset: string): number {
  return parseDuration(preset) ?? 3600;
}
