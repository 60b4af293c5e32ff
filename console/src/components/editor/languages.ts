import { json } from "@codemirror/lang-json";
import { PostgreSQL, SQLDialect, sql } from "@codemirror/lang-sql";
import { yaml } from "@codemirror/lang-yaml";
import type { Extension } from "@codemirror/state";
import type { EditorHints, EditorLanguage } from "./CodeEditor";
import { logql } from "./logql";
import { promql } from "./promql";

/** languageOf is a language's mode with what it completes from. */
export function languageOf(language: EditorLanguage, hints: EditorHints | undefined): Extension {
  switch (language) {
    case "promql":
      return promql(hints?.promql);
    case "logql":
      return logql(hints?.logql);
    case "sql":
      return sql({ dialect: clickhouse, schema: hints?.sql ?? {}, upperCaseKeywords: true });
    case "yaml":
      return yaml();
    case "json":
      return json();
    case "text":
      return [];
  }
}

/** ClickHouse's SQL: names in backticks or double quotes, and its own words beside the standard's. */
const clickhouse = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords: `${PostgreSQL.spec.keywords ?? ""} prewhere final sample settings format array asof global any semi anti limit offset ilike`,
  identifierQuotes: '`"',
  doubleDollarQuotedStrings: false,
  backslashEscapes: true,
});
