/** Where the cursor stands in a LogQL text, and with it what can be completed; apart from the editor so that it can be tested. */

export type LogqlContext =
  /** The name of a stream's label, within the selector written so far. */
  | { readonly kind: "label"; readonly from: number; readonly selector: string }
  /** The value of a label, after the opening quote; from is where the value begins. */
  | { readonly kind: "value"; readonly from: number; readonly label: string; readonly selector: string }
  /** What follows a pipe: parsers, filters, formats, and fields of lines. */
  | { readonly kind: "stage"; readonly from: number; readonly selector: string }
  /** Labels in by (...) or without (...). */
  | { readonly kind: "grouping"; readonly from: number; readonly selector: string }
  /** Functions, where no selector is open. */
  | { readonly kind: "function"; readonly from: number }
  | { readonly kind: "none" };

interface Scan {
  /** The opening quote that is not closed, and where it stands. */
  readonly quote: { readonly at: number } | undefined;
  /** Where the open brace of a selector stands. */
  readonly brace: number | undefined;
  /** The last complete selector, such as {app="shop"}. */
  readonly selector: string;
  /** Where the last closed selector ends; -1 before any. */
  readonly after: number;
}

/** logqlContext tells what stands at the end of text, which is what was written up to the cursor. */
export function logqlContext(text: string): LogqlContext {
  const { quote, brace, selector, after } = scan(text);
  if (brace !== undefined) {
    const written = completeMatchers(text.slice(brace + 1));
    if (quote) {
      const label = /([\w.]+)\s*(?:=~|!~|!=|=)\s*$/.exec(text.slice(brace, quote.at))?.[1];
      return label ? { kind: "value", from: quote.at + 1, label, selector: written } : { kind: "none" };
    }
    const name = /[{,]\s*([\w.]*)$/.exec(text.slice(brace));
    if (!name) return { kind: "none" };
    return { kind: "label", from: text.length - (name[1]?.length ?? 0), selector: written };
  }
  if (quote) return { kind: "none" };
  const grouping = /\b(?:by|without|on|ignoring)\s*\(\s*(?:[\w.]+\s*,\s*)*([\w.]*)$/.exec(text);
  if (grouping) return { kind: "grouping", from: text.length - (grouping[1]?.length ?? 0), selector };
  const stage = after >= 0 ? /(?:\||\band\b|\bor\b|,)\s*([\w.]*)$/.exec(text.slice(after)) : null;
  if (stage && /\|/.test(text.slice(after))) {
    return { kind: "stage", from: text.length - (stage[1]?.length ?? 0), selector };
  }
  const word = /(?:^|[\s(,+\-*/])([a-z_]*)$/.exec(text);
  if (word && !isPiped(text, after)) return { kind: "function", from: text.length - (word[1]?.length ?? 0) };
  return { kind: "none" };
}

/** isPiped says whether the end of text is within a pipeline, where functions have no place. */
function isPiped(text: string, after: number): boolean {
  return after >= 0 && /^[^)]*$/.test(text.slice(after)) && !/\[[^\]]*\]/.test(text.slice(after));
}

/** scan goes over the text once, minding strings and comments. */
function scan(text: string): Scan {
  let quote: { at: number; char: string } | undefined;
  let brace: number | undefined;
  let selector = "";
  let after = -1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote) {
      if (char === "\\" && quote.char === '"') i++;
      else if (char === quote.char) quote = undefined;
    } else if (char === '"' || char === "`") quote = { at: i, char };
    else if (char === "#") {
      const end = text.indexOf("\n", i);
      if (end < 0) break;
      i = end;
    } else if (char === "{") brace = i;
    else if (char === "}" && brace !== undefined) {
      selector = text.slice(brace, i + 1);
      after = i + 1;
      brace = undefined;
    }
  }
  return { quote, brace, selector, after };
}

/** completeMatchers makes a selector of the matchers that are written in full; "" when there is none. */
function completeMatchers(body: string): string {
  const matchers = body.match(/[\w.]+\s*(?:=~|!~|!=|=)\s*(?:"(?:\\.|[^"\\])*"|`[^`]*`)/g) ?? [];
  return matchers.length > 0 ? `{${matchers.join(", ")}}` : "";
}
