import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import type { Route, RoutePath } from "../../lib/alertconfig";
import { Button } from "../Button";
import labels from "./Labels.module.css";
import styles from "./RouteTree.module.css";

interface RouteTreeProps {
  root: Route;
  mayWrite: boolean;
  onEdit: (path: RoutePath) => void;
  /** A new route below the one at the path. */
  onAdd: (path: RoutePath) => void;
  onMove: (path: RoutePath, by: -1 | 1) => void;
  onRemove: (path: RoutePath) => void;
}

/** RouteTree shows which alerts go to which receiver: an alert takes the first route below that it matches. */
export function RouteTree(props: RouteTreeProps) {
  return (
    <ul className={styles.tree} aria-label="Routes">
      <Branch {...props} route={props.root} path={[]} siblings={1} inherited="" />
    </ul>
  );
}

interface BranchProps extends RouteTreeProps {
  route: Route;
  path: RoutePath;
  siblings: number;
  /** The receiver of the route above. */
  inherited: string;
}

function Branch({ route, path, siblings, inherited, ...rest }: BranchProps) {
  const { mayWrite, onEdit, onAdd, onMove, onRemove } = rest;
  const receiver = route.receiver ?? inherited;
  const place = path.at(-1) ?? 0;
  const isRoot = path.length === 0;
  const name = isRoot ? "everything else" : matchersOf(route).join(", ") || "everything";
  return (
    <li>
      <div className={styles.route}>
        <span className={labels.labels}>
          {isRoot ? (
            <span className="soft">Everything that matches no route</span>
          ) : (
            matchersOf(route).map((one) => (
              <span key={one} className={labels.label}>
                {one}
              </span>
            ))
          )}
        </span>
        <span>
          → <span className={styles.to}>{receiver || "nobody"}</span>
        </span>
        <span className={styles.more}>{timings(route)}</span>
        {mayWrite && (
          <span className={styles.buttons}>
            {!isRoot && siblings > 1 && (
              <>
                <IconButton
                  label={`Move ${name} up`}
                  reason={place === 0 ? "It is the first." : undefined}
                  onClick={() => onMove(path, -1)}
                >
                  <ArrowUp size={14} />
                </IconButton>
                <IconButton
                  label={`Move ${name} down`}
                  reason={place === siblings - 1 ? "It is the last." : undefined}
                  onClick={() => onMove(path, 1)}
                >
                  <ArrowDown size={14} />
                </IconButton>
              </>
            )}
            <IconButton label={`Add a route below ${name}`} onClick={() => onAdd(path)}>
              <Plus size={14} />
            </IconButton>
            <IconButton label={`Edit the route of ${name}`} onClick={() => onEdit(path)}>
              <Pencil size={14} />
            </IconButton>
            {!isRoot && (
              <IconButton label={`Delete the route of ${name}`} onClick={() => onRemove(path)}>
                <Trash2 size={14} />
              </IconButton>
            )}
          </span>
        )}
      </div>
      {route.routes && route.routes.length > 0 && (
        <ul className={styles.tree}>
          {route.routes.map((one, i) => (
            <Branch
              // biome-ignore lint/suspicious/noArrayIndexKey: a route's place is what it is known by.
              key={i}
              {...rest}
              route={one}
              path={[...path, i]}
              siblings={route.routes?.length ?? 0}
              inherited={receiver}
            />
          ))}
        </ul>
      )}
    </li>
  );
}

interface IconButtonProps {
  label: string;
  reason?: string | undefined;
  onClick: () => void;
  children: React.ReactNode;
}

function IconButton({ label, ...rest }: IconButtonProps) {
  return <Button small variant="quiet" icon aria-label={label} title={label} {...rest} />;
}

/** matchersOf lists a route's matchers, those in the older forms among them. */
function matchersOf(route: Route): readonly string[] {
  const old = Object.entries((route.match as Record<string, string> | undefined) ?? {});
  const regex = Object.entries((route.match_re as Record<string, string> | undefined) ?? {});
  return [
    ...(route.matchers ?? []),
    ...old.map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    ...regex.map(([name, value]) => `${name}=~${JSON.stringify(value)}`),
  ];
}

function timings(route: Route): string {
  const parts = [
    route.group_by && `grouped by ${route.group_by.join(", ")}`,
    route.group_wait && `waits ${route.group_wait}`,
    route.group_interval && `news every ${route.group_interval}`,
    route.repeat_interval && `again every ${route.repeat_interval}`,
    route.mute_time_intervals?.length && `muted at ${route.mute_time_intervals.join(", ")}`,
    route.active_time_intervals?.length && `only at ${route.active_time_intervals.join(", ")}`,
    route.continue && "goes on to the next route",
  ];
  return parts.filter(Boolean).join(" · ");
}
