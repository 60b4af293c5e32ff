import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** keepfile puts dist/.gitkeep back after a build has emptied dist: go:embed needs the folder in every checkout. */
export function keepfile(): Plugin {
  return {
    name: "keepfile",
    apply: "build",
    writeBundle(options) {
      writeFileSync(join(options.dir ?? "dist", ".gitkeep"), "");
    },
  };
}
