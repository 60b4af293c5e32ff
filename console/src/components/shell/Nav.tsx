import { PanelLeftClose, PanelLeftOpen, Search } from "lucide-react";
import { Link, useLocation } from "react-router";
import type { Session } from "../../data/session";
import { sharedParams } from "../../lib/urlstate";
import { hrefOf, type NavPage, navGroups, pageAt, pagesFor, preload } from "../../nav";
import { Tooltip } from "../Tooltip";
import styles from "./Nav.module.css";
import { TenantMenu } from "./TenantMenu";

interface NavProps {
  session: Session;
  /** Icons alone. */
  narrow: boolean;
  /** Switches between icons and names; absent in the drawer of phones. */
  onNarrow?: () => void;
  /** Opens the command palette. */
  onPalette: () => void;
  /** A page was chosen. */
  onGo?: () => void;
}

/** Nav lists the pages that the session may open, in the registry's groups. */
export function Nav({ session, narrow, onNarrow, onPalette, onGo }: NavProps) {
  const { pathname, search } = useLocation();
  const shared = sharedParams(new URLSearchParams(search)).toString();
  const rows = pagesFor(session);
  const current = pageAt(pathname, rows);
  return (
    <div className={styles.side} data-narrow={narrow}>
      <TenantMenu session={session} narrow={narrow} />
      <nav className={styles.nav} aria-label="Pages">
        {navGroups.map(({ id, label }) => {
          const listed = rows.filter(({ group }) => group === id);
          if (listed.length === 0) return null;
          return (
            <div key={id} className={styles.group}>
              {label && !narrow && <p className={styles.label}>{label}</p>}
              <ul aria-label={label || undefined}>
                {listed.map((row) => (
                  <li key={row.path}>
                    <Item
                      row={row}
                      shared={shared}
                      narrow={narrow}
                      current={row === current || leadsTo(row, current)}
                      onGo={onGo}
                    />
                  </li>
                ))}
              </ul>
            </div>
          );
        })}
      </nav>
      <div className={styles.foot}>
        {onNarrow ? (
          <button
            type="button"
            className={styles.item}
            aria-label={narrow ? "Widen the navigation" : "Narrow the navigation"}
            aria-expanded={!narrow}
            title={narrow ? "Widen the navigation" : undefined}
            onClick={onNarrow}
          >
            {narrow ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
            {!narrow && <span>Narrow</span>}
          </button>
        ) : (
          <button type="button" className={styles.item} onClick={onPalette}>
            <Search size={16} /> <span>Search pages and actions</span>
          </button>
        )}
      </div>
    </div>
  );
}

/** leadsTo says whether the page shown is a detail of the one listed: /clusters/prod below /clusters. */
function leadsTo(row: NavPage, current: NavPage | undefined): boolean {
  return !current?.group && current !== undefined && current.path.startsWith(`${hrefOf(row)}/`);
}

interface ItemProps {
  row: NavPage;
  shared: string;
  narrow: boolean;
  current: boolean;
  onGo: (() => void) | undefined;
}

function Item({ row, shared, narrow, current, onGo }: ItemProps) {
  const Icon = row.icon;
  const link = (
    <Link
      to={{ pathname: hrefOf(row), search: shared }}
      className={styles.item ?? ""}
      aria-current={current ? "page" : false}
      data-current={current}
      aria-label={narrow ? row.label : undefined}
      onClick={onGo}
      onPointerEnter={() => preload(row)}
      onFocus={() => preload(row)}
    >
      <Icon size={16} aria-hidden="true" />
      {!narrow && <span>{row.label}</span>}
    </Link>
  );
  if (!narrow) return link;
  return (
    <Tooltip text={row.label} side="right">
      {link}
    </Tooltip>
  );
}
