import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { Button } from "./Button";
import styles from "./Toasts.module.css";

export interface Toast {
  readonly text: string;
  readonly tone?: "plain" | "good" | "bad";
  /** A button, such as Undo; pressing it ends the toast. */
  readonly action?: { readonly label: string; run(): void };
  /** How long it stays; 6 s unless given, and for ever with 0. */
  readonly ms?: number;
}

interface Shown extends Toast {
  readonly id: number;
}

/** Shows a toast and returns what takes it away early. */
export type ShowToast = (toast: Toast) => () => void;

const Context = createContext<ShowToast | undefined>(undefined);

/** What a person needs to read a sentence and reach for Undo. */
export const toastMs = 6000;

/** useToast returns the function that tells people something in passing: toast({ text: "Saved", tone: "good" }). */
export function useToast(): ShowToast {
  const show = useContext(Context);
  if (!show) throw new Error("useToast needs a ToastProvider above it");
  return show;
}

const icons = { plain: Info, good: CircleCheck, bad: CircleAlert };

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Shown[]>([]);
  const last = useRef(0);
  const remove = useCallback(
    (id: number) => setToasts((before) => before.filter((toast) => toast.id !== id)),
    [],
  );
  const show = useCallback<ShowToast>(
    (toast) => {
      last.current += 1;
      const id = last.current;
      // More than three at a time are not read.
      setToasts((before) => [...before.slice(-2), { ...toast, id }]);
      return () => remove(id);
    },
    [remove],
  );
  return (
    <Context.Provider value={show}>
      {children}
      <section className={styles.stack} data-messages aria-label="Messages" aria-live="polite">
        {toasts.map((toast) => (
          <ToastCard key={toast.id} toast={toast} onEnd={() => remove(toast.id)} />
        ))}
      </section>
    </Context.Provider>
  );
}

function ToastCard({ toast, onEnd }: { toast: Shown; onEnd: () => void }) {
  const { text, tone = "plain", action, ms = toastMs } = toast;
  const end = useRef(onEnd);
  useEffect(() => {
    end.current = onEnd;
  });
  useEffect(() => {
    if (ms <= 0) return;
    const timer = setTimeout(() => end.current(), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  const Icon = icons[tone];
  return (
    <div className={`popup ${styles.toast}`} data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <Icon size={16} aria-hidden="true" />
      <span>{text}</span>
      {action && (
        <Button
          small
          onClick={() => {
            action.run();
            onEnd();
          }}
        >
          {action.label}
        </Button>
      )}
      <Button variant="quiet" small icon aria-label="Dismiss" onClick={onEnd}>
        <X size={14} />
      </Button>
    </div>
  );
}

interface UndoableOptions<T> {
  readonly idOf: (item: T) => string;
  /** What the toast says, such as `Deleted rule "cpu"`. */
  readonly text: (item: T) => string;
  /** Deletes on the server, and is done when the list has been loaded again: await the invalidation in it. */
  readonly perform: (item: T) => Promise<unknown>;
}

interface Undoable<T> {
  /** The ids of items that are deleted in the person's eyes; lists leave them out. */
  readonly hidden: ReadonlySet<string>;
  remove(item: T): void;
}

/**
 * useUndoable deletes with a way back: the item goes from the list at once, Undo brings it back, and the server is told after the
 * toast's time, or when the page is left. Should the server refuse, the item is back and a toast says why.
 *
 *   const { hidden, remove } = useUndoable({ idOf: (r) => r.id, text: (r) => `Deleted ${r.name}`, perform: (r) => del.mutateAsync(r.id) });
 *   rows.filter((r) => !hidden.has(r.id))
 */
export function useUndoable<T>(options: UndoableOptions<T>): Undoable<T> {
  const toast = useToast();
  const current = useRef(options);
  useEffect(() => {
    current.current = options;
  });
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const pending = useRef(
    new Map<string, { item: T; timer: ReturnType<typeof setTimeout>; end: () => void }>(),
  );

  const show = useCallback(
    (id: string) =>
      setHidden((before) => {
        const after = new Set(before);
        after.delete(id);
        return after;
      }),
    [],
  );
  const perform = useCallback(
    (id: string) => {
      const found = pending.current.get(id);
      if (!found) return;
      pending.current.delete(id);
      clearTimeout(found.timer);
      found.end();
      current.current
        .perform(found.item)
        .catch((error: unknown) =>
          toast({ text: error instanceof Error ? error.message : "That did not work.", tone: "bad", ms: 0 }),
        )
        .finally(() => show(id));
    },
    [show, toast],
  );
  const remove = useCallback(
    (item: T) => {
      const id = current.current.idOf(item);
      setHidden((before) => new Set(before).add(id));
      const undo = () => {
        const found = pending.current.get(id);
        if (!found) return;
        clearTimeout(found.timer);
        pending.current.delete(id);
        show(id);
      };
      const end = toast({ text: current.current.text(item), action: { label: "Undo", run: undo }, ms: 0 });
      const timer = setTimeout(() => perform(id), toastMs);
      pending.current.set(id, { item, timer, end });
    },
    [perform, show, toast],
  );

  useEffect(() => {
    const all = pending.current;
    const performAll = () => {
      for (const id of [...all.keys()]) perform(id);
    };
    window.addEventListener("pagehide", performAll);
    return () => {
      window.removeEventListener("pagehide", performAll);
      performAll();
    };
  }, [perform]);

  return useMemo(() => ({ hidden, remove }), [hidden, remove]);
}
