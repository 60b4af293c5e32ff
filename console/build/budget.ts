import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

// What a slow line brings in about two seconds; the target that docs/performance.md tells.
const maxKilobytes = 450;

type Chunk = Rolldown.OutputChunk;

/**
 * budget fails a build whose first page costs more JavaScript than the budget: the entry and one page with all that they import at
 * once, gzipped. It prints the figure of the dearest page.
 */
export function budget(): Plugin {
  return {
    name: "budget",
    apply: "build",
    writeBundle(options, bundle) {
      const chunks = Object.values(bundle).filter((one): one is Chunk => one.type === "chunk");
      const sizeOf = (name: string) =>
        gzipSync(readFileSync(join(options.dir ?? "dist", name))).length / 1000;
      const { page, names } = dearest(chunks, sizeOf);
      const total = sum(names, sizeOf);
      const text = `first load: ${total.toFixed(0)} kB of JavaScript, gzipped, of at most ${maxKilobytes} kB (${page})`;
      if (total > maxKilobytes) this.error(`${text}. Load what the first page does not need with import().`);
      this.info(text);
    },
  };
}

function dearest(chunks: readonly Chunk[], sizeOf: (name: string) => number) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const entry = chunks.find(({ isEntry }) => isEntry)?.fileName ?? "";
  const pages = chunks.filter(({ facadeModuleId }) => facadeModuleId?.includes(".page."));
  return [entry, ...pages.map(({ fileName }) => fileName)]
    .map((page) => ({ page, names: closure([entry, page], byName) }))
    .reduce((most, one) => (sum(one.names, sizeOf) > sum(most.names, sizeOf) ? one : most));
}

/** closure adds what chunks import at once, directly and not. */
function closure(start: readonly string[], byName: ReadonlyMap<string, Chunk>): ReadonlySet<string> {
  const names = new Set<string>();
  const queue = [...start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (names.has(name)) continue;
    names.add(name);
    queue.push(...(byName.get(name)?.imports ?? []));
  }
  return names;
}

function sum(names: ReadonlySet<string>, sizeOf: (name: string) => number): number {
  return [...names].reduce((total, name) => total + sizeOf(name), 0);
}
