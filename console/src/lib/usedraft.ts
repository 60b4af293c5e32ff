import { useEffect, useRef, useState } from "react";

/**
 * stillDue says which of the values that were handed on are yet to come back, now that one has. A person who is not typing waits for
 * none, and neither does one whose text somebody else has changed.
 */
export function stillDue(sent: readonly string[], value: string, typing: boolean): readonly string[] {
  const at = sent.lastIndexOf(value);
  return typing && at >= 0 ? sent.slice(at + 1) : [];
}

interface Draft {
  readonly text: string;
  type(text: string): void;
  /** Whether the input has the focus. */
  focused(focused: boolean): void;
}

/**
 * useDraft shows what is typed at once, whenever the value follows: one that lives in the URL comes back in a transition, and React
 * takes letters out of an input whose value lags behind.
 */
export function useDraft(value: string, onChange: (value: string) => void): Draft {
  const [text, setText] = useState(value);
  const sent = useRef<readonly string[]>([]);
  const typing = useRef(false);
  useEffect(() => {
    sent.current = stillDue(sent.current, value, typing.current);
    if (sent.current.length === 0) setText(value);
  }, [value]);
  return {
    text,
    type(next) {
      sent.current = [...sent.current, next];
      setText(next);
      onChange(next);
    },
    focused(focused) {
      typing.current = focused;
      if (focused) sent.current = [];
    },
  };
}
