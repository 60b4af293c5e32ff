import { createElement, Fragment, useMemo } from "react";
import { blocksOf } from "../../lib/alertmarkdown";
import { CodeBlock } from "../CodeBlock";
import { Dialog } from "../Dialog";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./Runbook.module.css";

/** runbookPathOf finds the path of a pack's own runbook in an annotation; undefined of runbooks that are elsewhere. */
export function runbookPathOf(url: string): string | undefined {
  return /(\/api\/v1\/alerting\/packs\/[^/?#]+\/runbooks\/[^/?#]+)$/.exec(url)?.[1];
}

interface RunbookDialogProps {
  title: string;
  text: string | undefined;
  error: unknown;
  onClose: () => void;
}

/** RunbookDialog shows what to do about an alert of a pack. */
export function RunbookDialog({ title, text, error, onClose }: RunbookDialogProps) {
  return (
    <Dialog open onClose={onClose} title={`Runbook: ${title}`} width="wide">
      {error ? (
        <Fault error={error} />
      ) : text === undefined ? (
        <Skeleton rows={8} />
      ) : (
        <Markdown text={text} />
      )}
    </Dialog>
  );
}

function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => blocksOf(text), [text]);
  return (
    <div className={styles.text}>
      {blocks.map((block, place) => {
        const key = `${place}-${block.kind}`;
        if (block.kind === "code") return <CodeBlock key={key} text={block.lines.join("\n")} label="Copy" />;
        if (block.kind === "head") return <h3 key={key}>{block.lines[0]}</h3>;
        if (block.kind === "list")
          return (
            <ul key={key}>
              {block.lines.map((line) => (
                <li key={line}>
                  <Inline text={line} />
                </li>
              ))}
            </ul>
          );
        return (
          <p key={key}>
            <Inline text={block.lines.join(" ")} />
          </p>
        );
      })}
    </div>
  );
}

/** Inline draws code within a line; runbooks have no other marks. The parts have no identity but their place, so no keys. */
function Inline({ text }: { text: string }) {
  const parts = text.replaceAll("**", "").split("`");
  const drawn = parts.map((part, i) => (i % 2 === 1 ? createElement("code", null, part) : part));
  return createElement(Fragment, null, ...drawn);
}
