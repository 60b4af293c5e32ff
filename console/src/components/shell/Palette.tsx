import {
  Building2,
  Clock3,
  Keyboard,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  RotateCw,
  Sun,
} from "lucide-react";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { type Session, useSignOut, useSwitchTenant } from "../../data/session";
import { type Command, useAllCommands } from "../../lib/commands";
import { formatDuration } from "../../lib/duration";
import { rank } from "../../lib/palette";
import { themes, useTheme } from "../../lib/theme";
import { useTime } from "../../lib/time";
import { presets } from "../../lib/timerange";
import { sharedParams } from "../../lib/urlstate";
import { hrefOf, pagesFor } from "../../nav";
import styles from "./Palette.module.css";

interface PaletteProps {
  session: Session;
  onClose: () => void;
  onHelp: () => void;
}

/** Palette finds pages, tenants and actions by their names: type, arrows to move, Enter to run. */
export function Palette({ session, onClose, onHelp }: PaletteProps) {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const commands = useCommandList(session, onHelp);
  const found = useMemo(() => rank(commands, typed), [commands, typed]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((before) => Math.min(Math.max(before + step, 0), found.length - 1));
    else if (event.key === "Enter") run(found[active]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog.Root open onOpenChange={(next) => next || onClose()}>
      <Dialog.Portal>
        <div className={styles.ground} />
        <Dialog.Content className={`popup ${styles.palette}`} aria-describedby={undefined}>
          <Dialog.Title className="hidden-visually">Search pages and actions</Dialog.Title>
          <input
            className={styles.input}
            role="combobox"
            aria-label="Search pages and actions"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={found[active] ? `palette-${active}` : undefined}
            aria-autocomplete="list"
            autoComplete="off"
            spellCheck={false}
            placeholder="Search pages and actions"
            value={typed}
            onKeyDown={onKeyDown}
            onChange={(event) => {
              setTyped(event.target.value);
              setActive(0);
            }}
          />
          <div id="palette-list" className={styles.list} role="listbox" aria-label="Results" tabIndex={-1}>
            {found.map((command, place) => (
              <Row
                key={command.id}
                id={`palette-${place}`}
                command={command}
                // Without words the groups are in order and have headings; a search mixes them by fit.
                heading={typed.trim() === "" && command.group !== found[place - 1]?.group}
                grouped={typed.trim() === ""}
                active={place === active}
                onPoint={() => setActive(place)}
                onRun={() => run(command)}
              />
            ))}
          </div>
          {found.length === 0 && <p className={styles.none}>Nothing has this name.</p>}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface RowProps {
  id: string;
  command: Command;
  heading: boolean;
  grouped: boolean;
  active: boolean;
  onPoint: () => void;
  onRun: () => void;
}

function Row({ id, command, heading, grouped, active, onPoint, onRun }: RowProps) {
  const Icon = command.icon;
  return (
    <>
      {heading && (
        <p className={styles.heading} role="presentation">
          {command.group}
        </p>
      )}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys. */}
      <div
        id={id}
        role="option"
        tabIndex={-1}
        className={styles.row}
        aria-selected={active}
        ref={active ? scrollHere : undefined}
        onPointerMove={onPoint}
        onClick={onRun}
      >
        {Icon ? <Icon size={15} aria-hidden="true" /> : <span className={styles.blank} />}
        <span>{command.label}</span>
        {!grouped && <small>{command.group}</small>}
        {command.shortcut && <kbd>{command.shortcut}</kbd>}
      </div>
    </>
  );
}

function scrollHere(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

const themeIcons: Record<(typeof themes)[number], LucideIcon> = { system: Monitor, light: Sun, dark: Moon };
const themeLabels = { system: "Theme like the system", light: "Light theme", dark: "Dark theme" };

/** useCommandList collects what the page adds, the pages, the tenants and the actions of the shell. */
function useCommandList(session: Session, onHelp: () => void): readonly Command[] {
  const ofPage = useAllCommands();
  const navigate = useNavigate();
  const time = useTime();
  const [, setTheme] = useTheme();
  const signOut = useSignOut();
  const switchTenant = useSwitchTenant();
  const search = () => sharedParams(new URLSearchParams(window.location.search)).toString();
  const pages = pagesFor(session)
    .filter(({ path }) => !path.includes(":"))
    .map(
      (row): Command => ({
        id: `page ${row.path}`,
        label: row.label,
        group: "Pages",
        icon: row.icon,
        keywords: row.keywords,
        shortcut: row.shortcut,
        run: () => void navigate({ pathname: hrefOf(row), search: search() }),
      }),
    );
  const tenants = session.tenants
    .filter(({ id }) => id !== session.tenant?.id)
    .map(
      (tenant): Command => ({
        id: `tenant ${tenant.id}`,
        label: `Switch to ${tenant.name}`,
        group: "Tenants",
        icon: Building2,
        keywords: `tenant ${tenant.slug}`,
        run: () => switchTenant.mutate(tenant.slug),
      }),
    );
  const ranges = presets.map(
    (seconds): Command => ({
      id: `range ${seconds}`,
      label: `Last ${formatDuration(seconds)}`,
      group: "Time",
      icon: Clock3,
      keywords: "time range",
      run: () => time.setRange({ kind: "last", seconds }),
    }),
  );
  const other = time.zone === "utc" ? "local" : "utc";
  return [
    ...ofPage,
    ...pages,
    ...tenants,
    ...(session.tenant ? ranges : []),
    {
      id: "zone",
      label: other === "utc" ? "Show times in UTC" : "Show times in local time",
      group: "Time",
      icon: Clock3,
      keywords: "zone utc local",
      run: () => time.setZone(other),
    },
    { id: "refresh", label: "Refresh", group: "Time", icon: RotateCw, keywords: "reload", run: time.refresh },
    ...themes.map(
      (theme): Command => ({
        id: `theme ${theme}`,
        label: themeLabels[theme],
        group: "Actions",
        icon: themeIcons[theme],
        keywords: "theme colours dark light",
        run: () => setTheme(theme),
      }),
    ),
    { id: "help", label: "Keyboard shortcuts", group: "Actions", icon: Keyboard, shortcut: "?", run: onHelp },
    {
      id: "sign-out",
      label: "Sign out",
      group: "Actions",
      icon: LogOut,
      keywords: "log out leave",
      run: () => signOut.mutate(),
    },
  ];
}
