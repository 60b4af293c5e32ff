import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

interface CopyButtonProps {
  text: string;
  /** What is copied, for people who cannot see the icon. */
  label: string;
  children?: string;
}

export function CopyButton({ text, label, children }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className={`button quiet small ${children ? "" : "icon"}`}
      aria-label={copied ? "Copied" : label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        copyText(text).then(setCopied);
      }}
    >
      {copied ? <Check size={14} /> : <Copy size={14} />}
      {children && (copied ? "Copied" : children)}
    </button>
  );
}

/** copyText says whether the clipboard took the text; browsers refuse it on plain HTTP. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
