import { Menu as MenuIcon, Search } from "lucide-react";
import { useEffect } from "react";
import { Link, useLocation } from "react-router";
import type { Session } from "../../data/session";
import { useShownTitle } from "../../lib/title";
import { sharedParams } from "../../lib/urlstate";
import { pageAt } from "../../nav";
import { AccountMenu } from "./AccountMenu";
import chrome from "./Chrome.module.css";
import { RefreshControl } from "./RefreshControl";
import { TimeRangePicker } from "./TimeRangePicker";
import styles from "./TopBar.module.css";

interface TopBarProps {
  session: Session;
  onMenu: () => void;
  onPalette: () => void;
}

/** TopBar names the page and holds what all pages share: the range of time, refresh, search, and the person. */
export function TopBar({ session, onMenu, onPalette }: TopBarProps) {
  const { pathname, search } = useLocation();
  const shown = useShownTitle();
  const page = pageAt(pathname);
  const title = shown?.title ?? page?.label ?? "Seamark";
  useEffect(() => {
    document.title = title === "Seamark" ? title : `${title} · Seamark`;
  }, [title]);
  const timed = session.tenant && (page?.timed ?? true);
  return (
    <header className={styles.bar}>
      <button
        type="button"
        className={`${chrome.control} ${styles.menu}`}
        aria-label="Open the menu"
        onClick={onMenu}
      >
        <MenuIcon size={17} />
      </button>
      <div className={styles.titles}>
        {shown?.back && (
          <>
            <Link className={styles.back} to={withShared(shown.back.to, search)}>
              {shown.back.label}
            </Link>
            <span className={styles.slash} aria-hidden="true">
              /
            </span>
          </>
        )}
        <h1 className={styles.title} title={title}>
          {title}
        </h1>
      </div>
      <div className={styles.tools}>
        {timed && (
          <>
            <TimeRangePicker />
            <RefreshControl />
          </>
        )}
        <button
          type="button"
          className={`${chrome.control} ${styles.search}`}
          title="Search pages and actions (Ctrl K)"
          onClick={onPalette}
        >
          <Search size={15} />
          <span className="hidden-visually">Search pages and actions</span>
          <kbd>Ctrl K</kbd>
        </button>
        <AccountMenu session={session} />
      </div>
    </header>
  );
}

/** withShared leads to a page, at a tab of it or not, and takes along what goes from page to page. */
function withShared(to: string, search: string) {
  const [pathname = "", own = ""] = to.split("?");
  const params = sharedParams(new URLSearchParams(search));
  for (const [name, value] of new URLSearchParams(own)) params.set(name, value);
  return { pathname, search: params.toString() };
}
