/** Parameters of SQL as the API takes them: {name:Type} in the text. */
export interface SqlParameter {
  readonly name: string;
  readonly type: string;
}

// Strings, quoted names and comments, in which braces mean nothing.
const opaque = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** parametersOf finds the parameters of a statement, each once. */
export function parametersOf(sql: string): SqlParameter[] {
  const bare = sql.replace(opaque, (text) => " ".repeat(text.length));
  const found = new Map<string, SqlParameter>();
  for (const { 1: name = "", index } of bare.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g)) {
    const from = sql.indexOf(":", index) + 1;
    const to = bare.indexOf("}", from);
    // A type may hold quotes: DateTime64(3, 'UTC').
    const type = to < 0 ? "" : sql.slice(from, to).trim();
    if (type && !found.has(name)) found.set(name, { name, type });
  }
  return [...found.values()];
}

/** The ends of the page's range of time fill in the parameters from and to. */
export function isRangeParameter({ name, type }: SqlParameter): boolean {
  return (name === "from" || name === "to") && /^(Nullable\()?Date/.test(type);
}

/** timeValue writes a time as the type takes it, in UTC. */
export function timeValue(ms: number, type: string): string {
  const text = new Date(ms).toISOString().replace("T", " ").replace("Z", "");
  if (/DateTime64/.test(type)) return text;
  return /DateTime/.test(type) ? text.slice(0, 19) : text.slice(0, 10);
}

export type SqlValue = string | number | boolean | null | readonly unknown[] | object;

/** readValue reads what was typed for a parameter as its type wants it; the server checks it. */
export function readValue(text: string, type: string): SqlValue {
  const inner = /^Nullable\((.*)\)$/.exec(type)?.[1];
  if (inner) return text === "" || text.toLowerCase() === "null" ? null : readValue(text, inner);
  if (/^(Array|Map|Tuple)/.test(type)) {
    try {
      return JSON.parse(text) as SqlValue;
    } catch {
      // A list may be written without brackets.
      return text.split(",").map((one) => one.trim());
    }
  }
  if (/^Bool/.test(type)) return text.toLowerCase() === "true" || text === "1";
  // Numbers of 64 bits and more are sent as text: they would be rounded on the way.
  if (/^(U?Int(8|16|32)|Float)/.test(type) && text.trim() !== "" && Number.isFinite(Number(text)))
    return Number(text);
  return text;
}

/** valuesOf are the parameters' values as they are sent. */
export function valuesOf(
  parameters: readonly SqlParameter[],
  typed: Readonly<Record<string, string>>,
  range: { readonly fromMs: number; readonly toMs: number },
): Record<string, SqlValue> {
  return Object.fromEntries(
    parameters.map((one) => {
      const text = typed[one.name] ?? "";
      if (text === "" && isRangeParameter(one))
        return [one.name, timeValue(one.name === "from" ? range.fromMs : range.toMs, one.type)];
      return [one.name, readValue(text, one.type)];
    }),
  );
}
