import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { type Session, useKeepAlive } from "../../data/session";
import { CommandProvider } from "../../lib/commands";
import { type Shortcuts, useShortcuts } from "../../lib/shortcuts";
import { TimeProvider } from "../../lib/time";
import { TitleProvider } from "../../lib/title";
import { sharedParams } from "../../lib/urlstate";
import { useStored } from "../../lib/usestored";
import { hrefOf, pageAt, pagesFor } from "../../nav";
import { Boundary } from "../Boundary";
import { Progress } from "../Progress";
import { ToastProvider } from "../Toasts";
import { Nav } from "./Nav";
import { PhoneNav } from "./PhoneNav";
import styles from "./Shell.module.css";
import { TopBar } from "./TopBar";

const Palette = lazy(async () => ({ default: (await import("./Palette")).Palette }));
const ShortcutHelp = lazy(async () => ({ default: (await import("./ShortcutHelp")).ShortcutHelp }));

const widths = ["wide", "narrow"] as const;

type Open = "menu" | "palette" | "help" | undefined;

/** Shell is everything around a page: navigation, top bar, palette, shortcuts, toasts. */
export function Shell({ session, children }: { session: Session; children: ReactNode }) {
  useKeepAlive(session);
  return (
    <TimeProvider>
      <TitleProvider>
        <CommandProvider>
          <ToastProvider>
            <Frame session={session}>{children}</Frame>
          </ToastProvider>
        </CommandProvider>
      </TitleProvider>
    </TimeProvider>
  );
}

function Frame({ session, children }: { session: Session; children: ReactNode }) {
  const [width, setWidth] = useStored("seamark-nav", widths, "wide");
  const [open, setOpen] = useState<Open>();
  const close = useCallback(() => setOpen(undefined), []);
  const { pathname } = useLocation();
  const go = useGo();
  const palette = () => setOpen("palette");
  const shortcuts = useMemo(() => {
    const all: Record<string, () => void> = {
      "mod+k": () => setOpen((before) => (before === "palette" ? undefined : "palette")),
      "?": () => setOpen("help"),
      "[": () => setWidth(width === "wide" ? "narrow" : "wide"),
    };
    for (const row of pagesFor(session)) if (row.shortcut) all[row.shortcut] = () => go(hrefOf(row));
    return all satisfies Shortcuts;
  }, [session, go, width, setWidth]);
  useShortcuts(shortcuts);
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <div className={styles.side}>
        <Nav
          session={session}
          narrow={width === "narrow"}
          onNarrow={() => setWidth(width === "wide" ? "narrow" : "wide")}
          onPalette={palette}
        />
      </div>
      <div className={styles.column}>
        <TopBar session={session} onMenu={() => setOpen("menu")} onPalette={palette} />
        <main id="content" className={styles.main} tabIndex={-1}>
          {/* A page that broke must not take the next one with it; routes within a page keep its state. */}
          <Boundary key={pageAt(pathname)?.path}>
            <Suspense fallback={<Progress active />}>{children}</Suspense>
          </Boundary>
        </main>
      </div>
      <PhoneNav session={session} open={open === "menu"} onClose={close} onPalette={palette} />
      <Suspense fallback={null}>
        {open === "palette" && <Palette session={session} onClose={close} onHelp={() => setOpen("help")} />}
        {open === "help" && <ShortcutHelp session={session} onClose={close} />}
      </Suspense>
    </div>
  );
}

/** useGo leads to a page and takes the range of time along. */
function useGo(): (pathname: string) => void {
  const navigate = useNavigate();
  return useCallback(
    (pathname: string) =>
      navigate({
        pathname,
        search: sharedParams(new URLSearchParams(window.location.search)).toString(),
      }),
    [navigate],
  );
}
