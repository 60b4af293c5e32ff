export type Zone = "local" | "utc";

interface Formats {
  readonly date: Intl.DateTimeFormat;
  readonly time: Intl.DateTimeFormat;
}

function formats(timeZone: string | undefined): Formats {
  const zone = timeZone ? { timeZone } : {};
  return {
    // The Swedish form is year-month-day, which sorts and is read the same everywhere.
    date: new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", ...zone }),
    time: new Intl.DateTimeFormat("sv-SE", {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      ...zone,
    }),
  };
}

// Making a formatter costs far more than using one.
const cached: Record<Zone, Formats> = { local: formats(undefined), utc: formats("UTC") };

export function formatDate(ms: number, zone: Zone): string {
  return cached[zone].date.format(ms);
}

/** formatTime writes HH:MM:SS. */
export function formatTime(ms: number, zone: Zone): string {
  return cached[zone].time.format(ms);
}

/** formatTimeMs writes HH:MM:SS.mmm. */
export function formatTimeMs(ms: number, zone: Zone): string {
  return `${formatTime(ms, zone)}.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}`;
}

export function formatDateTime(ms: number, zone: Zone): string {
  return `${formatDate(ms, zone)} ${formatTime(ms, zone)}`;
}

/** formatShort leaves out the date when it is today's and the seconds when they are zero. */
export function formatShort(ms: number, zone: Zone, nowMs: number): string {
  const date = formatDate(ms, zone);
  const time = formatTime(ms, zone).replace(/:00$/, "");
  return date === formatDate(nowMs, zone) ? time : `${date} ${time}`;
}

/** toInput writes a time as <input type="datetime-local"> wants it; fromInput reads it back. */
export function toInput(ms: number, zone: Zone): string {
  return `${formatDate(ms, zone)}T${formatTime(ms, zone)}`;
}

export function fromInput(text: string, zone: Zone): number | undefined {
  const ms = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(ms) ? undefined : ms;
}
