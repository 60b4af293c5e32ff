import { useCallback, useEffect, useRef, useState } from "react";
import { refreshSession } from "../lib/api";
import { compareNs, type LogLine, type RawStream, toLines } from "../lib/loglines";

/** One message of the tail. */
interface TailMessage {
  readonly streams?: readonly RawStream[] | null;
  readonly dropped_entries?: readonly unknown[] | null;
}

export type TailState = "connecting" | "open" | "waiting" | "refused";

export interface LogTail {
  /** Newest first. */
  readonly lines: readonly LogLine[];
  readonly state: TailState;
  /** Lines that the server left out because this page lagged. */
  readonly dropped: number;
  /** Lines that arrived while the tail was paused. */
  readonly held: number;
  /** Lines that were let go because more are not kept. */
  readonly let: number;
}

/** More lines than this are not kept: a tail is for watching. */
export const tailLines = 5000;

// A page that draws more often than this is not read any better.
const drawMs = 200;

const firstWaitMs = 1000;
const longestWaitMs = 15_000;

// The server's code for a credential that is good no more (RFC 6455: policy violation); tokens of sessions live for minutes.
const credentialOver = 1008;

const empty: LogTail = { lines: [], state: "connecting", dropped: 0, held: 0, let: 0 };

/** useLogTail shows lines as they arrive. While it is paused, what arrives is held back. */
export function useLogTail(
  query: string,
  enabled: boolean,
  paused: boolean,
): LogTail & { clear: () => void } {
  const [tail, setTail] = useState(empty);
  const held = useRef<LogLine[]>([]);
  const isPaused = useRef(paused);

  const show = useCallback(() => {
    const fresh = held.current;
    held.current = [];
    if (fresh.length === 0) return;
    fresh.sort((a, b) => compareNs(b.ns, a.ns));
    setTail((before) => {
      const all = [...fresh, ...before.lines];
      const over = Math.max(0, all.length - tailLines);
      return { ...before, lines: over > 0 ? all.slice(0, tailLines) : all, held: 0, let: before.let + over };
    });
  }, []);

  useEffect(() => {
    isPaused.current = paused;
    if (!paused) show();
  }, [paused, show]);

  useEffect(() => {
    if (!enabled) return;
    held.current = [];
    setTail(empty);
    let lost = 0;
    const timer = setInterval(() => {
      if (!isPaused.current) show();
      else
        setTail((before) =>
          before.held === held.current.length ? before : { ...before, held: held.current.length },
        );
    }, drawMs);
    const close = openTail(query, {
      onState: (state) => setTail((before) => ({ ...before, state })),
      onMessage: ({ streams, dropped_entries }) => {
        for (const stream of streams ?? []) for (const line of toLines(stream)) held.current.push(line);
        // Of a long pause the oldest go first, as they would from the list.
        const over = held.current.length - tailLines;
        if (over > 0) held.current.splice(0, over);
        lost += dropped_entries?.length ?? 0;
        setTail((before) => (before.dropped === lost && over <= 0 ? before : countLost(before, lost, over)));
      },
    });
    return () => {
      clearInterval(timer);
      close();
    };
  }, [query, enabled, show]);

  const clear = useCallback(() => {
    held.current = [];
    setTail((before) => ({ ...before, lines: [], held: 0, let: 0, dropped: 0 }));
  }, []);
  return { ...tail, clear };
}

function countLost(before: LogTail, dropped: number, over: number): LogTail {
  return { ...before, dropped, let: before.let + Math.max(0, over) };
}

interface Listener {
  onState(state: TailState): void;
  onMessage(message: TailMessage): void;
}

/** openTail keeps a tail open: it goes on after the last line that it saw when the connection breaks. It returns what ends it. */
function openTail(query: string, { onState, onMessage }: Listener): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = firstWaitMs;
  let lastNs = "";
  let ended = false;
  let opened = false;

  const connect = () => {
    if (ended) return;
    onState("connecting");
    socket = new WebSocket(tailURL(query, lastNs));
    socket.addEventListener("open", () => {
      opened = true;
      waitMs = firstWaitMs;
      onState("open");
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as TailMessage;
      for (const { values } of message.streams ?? [])
        for (const [ns] of values) if (compareNs(ns, lastNs) > 0) lastNs = ns;
      onMessage(message);
    });
    socket.addEventListener("close", ({ code }) => void again(code));
  };
  const again = async (code: number) => {
    if (ended) return;
    // A refused opening does not tell why. A fresh token is the one cure there is.
    const mended = code === credentialOver || !opened ? await refreshSession().catch(() => false) : true;
    if (ended) return;
    if (!mended) {
      onState("refused");
      return;
    }
    onState("waiting");
    timer = setTimeout(connect, waitMs);
    waitMs = Math.min(longestWaitMs, waitMs * 2);
  };
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    // A browser complains of a connection that is closed before it is open.
    const last = socket;
    if (last?.readyState === WebSocket.CONNECTING) last.addEventListener("open", () => last.close());
    else last?.close();
  };
}

/** tailURL asks for the newest lines to begin with, or for all since the last that was seen. */
export function tailURL(query: string, lastNs: string): string {
  const url = new URL("/loki/api/v1/tail", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("query", query);
  url.searchParams.set("limit", lastNs ? "1000" : "200");
  if (lastNs) url.searchParams.set("start", String(BigInt(lastNs) + 1n));
  return url.toString();
}
