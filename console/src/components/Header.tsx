import { Activity, Building2, CalendarClock, type LucideIcon, ScrollText, ServerCog } from "lucide-react";
import { Link, NavLink, useLocation } from "react-router";
import type { Session } from "../data/session";
import { sharedParams } from "../lib/urlstate";
import { type PageName, preload } from "../pages";
import { AccountMenu } from "./AccountMenu";
import styles from "./Header.module.css";
import { Logo } from "./Logo";
import { RefreshControl } from "./RefreshControl";
import { TimeRangePicker } from "./TimeRangePicker";

interface Item {
  to: string;
  page: PageName;
  label: string;
  icon: LucideIcon;
}

const tenantItems: readonly Item[] = [
  { to: "/", page: "clusters", label: "Clusters", icon: ServerCog },
  { to: "/logs", page: "logs", label: "Logs", icon: ScrollText },
  { to: "/metrics", page: "metrics", label: "Metrics", icon: Activity },
  { to: "/events", page: "events", label: "Events", icon: CalendarClock },
];

function itemsOf(session: Session): readonly Item[] {
  if (!session.operator) return tenantItems;
  const tenants: Item = {
    to: session.tenant ? "/tenants" : "/",
    page: "tenants",
    label: "Tenants",
    icon: Building2,
  };
  return session.tenant ? [...tenantItems, tenants] : [tenants];
}

export function Header({ session }: { session: Session }) {
  const { search } = useLocation();
  const shared = sharedParams(new URLSearchParams(search)).toString();
  return (
    <header className={styles.header}>
      <Link className={styles.brand} to={{ pathname: "/", search: shared }}>
        <Logo />
        <span className={styles.name}>Seamark</span>
      </Link>
      <span className={styles.tenant} title={session.tenant?.slug ?? "Platform operator"}>
        {session.tenant?.name ?? "Operator"}
      </span>
      <nav className={styles.nav} aria-label="Pages">
        {itemsOf(session).map(({ to, page, label, icon: Icon }) => (
          <NavLink
            key={to}
            end={to === "/"}
            to={{ pathname: to, search: shared }}
            className={styles.link ?? ""}
            onPointerEnter={() => preload(page)}
            onFocus={() => preload(page)}
          >
            <Icon size={16} />
            <span>{label}</span>
          </NavLink>
        ))}
      </nav>
      <div className={styles.tools}>
        {session.tenant && (
          <>
            <TimeRangePicker />
            <RefreshControl />
          </>
        )}
      </div>
      <AccountMenu session={session} />
    </header>
  );
}
