/** The little of Markdown that runbooks use, as blocks to draw. */

export interface Block {
  readonly kind: "head" | "text" | "list" | "code";
  readonly lines: readonly string[];
}

export function blocksOf(text: string): readonly Block[] {
  const blocks: { kind: Block["kind"]; lines: string[] }[] = [];
  let fenced = false;
  let open = false;
  const put = (kind: Block["kind"], line: string) => {
    const last = blocks.at(-1);
    if (open && last?.kind === kind && kind !== "head") last.lines.push(line);
    else blocks.push({ kind, lines: [line] });
    open = true;
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) {
      fenced = !fenced;
      open = false;
    } else if (fenced) put("code", line);
    else if (line.trim() === "") open = false;
    else if (line.startsWith("#")) put("head", line.replace(/^#+\s*/, ""));
    else if (/^\s*(?:[-*]|\d+\.)\s+/.test(line)) {
      put("list", line.replace(/^\s*(?:[-*]|\d+\.)\s+/, ""));
    } else {
      const last = blocks.at(-1);
      // A line that goes on with an item of a list.
      if (open && last?.kind === "list") last.lines.push(`${last.lines.pop()} ${line.trim()}`);
      else put("text", line.trim());
    }
  }
  return blocks;
}
