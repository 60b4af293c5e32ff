import { formatDateTime } from "../lib/clock";
import { formatAge } from "../lib/format";
import { useTime } from "../lib/time";
import { useNow } from "../lib/usenow";

/** Ago shows how long ago something was, live; the exact time stands in its tooltip. */
export function Ago({ at }: { at: string }) {
  const now = useNow();
  const { zone } = useTime();
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={formatDateTime(ms, zone)} className="numbers">
      {formatAge(now - ms)}
    </time>
  );
}
