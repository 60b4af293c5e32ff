/**
 * Lints openapi.yaml and ends with 1 when there is anything to say. The linter comes with openapi-typescript; used as a
 * library it neither looks for updates nor sends anything.
 */
import { fileURLToPath } from "node:url";
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    // Each operation has the response `default`, which says what any fault looks like.
    "operation-4xx-response": "off",
    "no-duplicated-tag-names": "error",
    "no-invalid-parameter-examples": "error",
    "no-invalid-schema-examples": "error",
    "no-required-schema-properties-undefined": "error",
    "no-schema-type-mismatch": "error",
    "operation-singular-tag": "error",
    "path-not-include-query": "error",
    "path-params-defined": "error",
    "tag-description": "error",
  },
});

const problems = await lint({ ref: fileURLToPath(new URL("../../openapi.yaml", import.meta.url)), config });
for (const { ruleId, message, location } of problems) {
  process.stderr.write(`openapi.yaml${location[0]?.pointer ?? ""}: ${message} (${ruleId})\n`);
}
process.exitCode = problems.length > 0 ? 1 : 0;
