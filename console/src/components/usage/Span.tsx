import { useMemo, useState } from "react";
import type { Interval } from "../../lib/timerange";
import { resolveSpan, spanOf, spans, usageCodec } from "../../lib/usagestate";
import { useUrlState } from "../../lib/useurlstate";
import { Select } from "../Inputs";

/** useSpan is the time that the page of usage is about. It stays the same until another span is chosen. */
export function useSpan(): Interval {
  const [{ span }] = useUrlState(usageCodec);
  const [nowMs] = useState(Date.now);
  return useMemo(() => resolveSpan(spanOf(span), nowMs), [span, nowMs]);
}

/** SpanSelect chooses the span; days and months are those of the meter, and no finer than an hour. */
export function SpanSelect() {
  const [state, setState] = useUrlState(usageCodec);
  return (
    <div>
      <Select
        aria-label="Span of time"
        value={spanOf(state.span)}
        options={spans}
        onChange={(span) => setState({ ...state, span })}
      />
    </div>
  );
}
