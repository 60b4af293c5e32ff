import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { LanguageSupport, StreamLanguage, type StringStream } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { logqlContext } from "../../lib/logqlcontext";
import { aggregations, lineFunctions, rangeFunctions, stages } from "./logqlwords";

/** Where completion of LogQL gets names; answers may come from a cache, late, or not at all. */
export interface LogqlHints {
  /** Names of streams' labels, of the streams that a selector such as {app="shop"} takes; "" takes all. */
  labels(selector: string): Promise<readonly string[]>;
  values(label: string, selector: string): Promise<readonly string[]>;
  /** Names of what parsers find in the lines of a selector. */
  fields?(selector: string): Promise<readonly string[]>;
}

interface State {
  braces: number;
  /** The parser or filter follows a pipe. */
  piped: boolean;
}

const functions = new Set([...rangeFunctions, ...aggregations, ...lineFunctions].map(({ label }) => label));
const words = new Set(stages.map(({ label }) => label));
const keywords = new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"]);
const operators = new Set(["and", "or", "unless"]);

function token(stream: StringStream, state: State): string | null {
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return "comment";
  if (stream.match(/^"(?:\\.|[^"\\])*"?/) || stream.match(/^`[^`]*`?/)) return "string";
  if (stream.match(/^\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w|y|[KMGTP]i?B|B)?(?:\d+(?:ms|s|m|h|d|w|y))*/))
    return "number";
  if (stream.match(/^(?:\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[=<>+\-*/%^])/)) return "operator";
  if (stream.match(/^\|/)) {
    state.piped = true;
    return "operator";
  }
  const word = stream.match(/^[A-Za-z_][\w.]*/);
  if (Array.isArray(word)) return wordToken(word[0], stream, state);
  const char = stream.next();
  if (char === "{") state.braces++;
  if (char === "}") state.braces = Math.max(0, state.braces - 1);
  return char && "{}()[],".includes(char) ? "bracket" : null;
}

function wordToken(word: string, stream: StringStream, state: State): string {
  const piped = state.piped;
  state.piped = false;
  if (state.braces > 0) return "labelName";
  if (operators.has(word)) return "operatorKeyword";
  if (keywords.has(word)) return "keyword";
  if (piped && words.has(word)) return "keyword";
  if (functions.has(word) && stream.match(/^\s*(?:\(|by\b|without\b)/, false)) return "functionName";
  return "labelName";
}

const language = StreamLanguage.define<State>({
  name: "logql",
  startState: () => ({ braces: 0, piped: false }),
  token,
  languageData: {
    commentTokens: { line: "#" },
    closeBrackets: { brackets: ["(", "[", "{", '"', "`"] },
  },
  tokenTable: {
    labelName: tags.labelName,
    functionName: tags.function(tags.variableName),
    operatorKeyword: tags.operatorKeyword,
  },
});

/** logql is the language with its completion; without hints it completes what the language itself has. */
export function logql(hints?: LogqlHints): LanguageSupport {
  return new LanguageSupport(language, language.data.of({ autocomplete: completion(hints) }));
}

function completion(hints: LogqlHints | undefined) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const at = logqlContext(context.state.sliceDoc(0, context.pos));
    switch (at.kind) {
      case "label":
        return {
          from: at.from,
          options: named(await hints?.labels(at.selector), "property", '="'),
          validFor: /^[\w.]*$/,
        };
      case "grouping":
        return {
          from: at.from,
          options: named(await namesOf(hints, at.selector), "property"),
          validFor: /^[\w.]*$/,
        };
      case "value":
        return {
          from: at.from,
          options: named(await hints?.values(at.label, at.selector), "text"),
          validFor: /^[^"`]*$/,
        };
      case "stage": {
        const fields = named(await namesOf(hints, at.selector), "property");
        return { from: at.from, options: [...stages, ...fields], validFor: /^[\w.]*$/ };
      }
      case "function":
        if (!context.explicit && at.from === context.pos) return null;
        return { from: at.from, options: [...rangeFunctions, ...aggregations], validFor: /^\w*$/ };
      default:
        return null;
    }
  };
}

async function namesOf(hints: LogqlHints | undefined, selector: string): Promise<readonly string[]> {
  const [labels, fields] = await Promise.all([hints?.labels(selector), hints?.fields?.(selector)]);
  return [...new Set([...(fields ?? []), ...(labels ?? [])])];
}

function named(names: readonly string[] | undefined, type: string, suffix = ""): Completion[] {
  return (names ?? []).map((label) => ({ label, type, apply: label + suffix }));
}
