import type { ReactNode } from "react";
import { useSession } from "./session";

/**
 * What the signed-in person may do, as the session tells it. The server decides; this only spares people clicks that it would
 * refuse.
 */

/** useCan says whether the session holds a permission, such as "rules:write". */
export function useCan(permission: string): boolean {
  const { data } = useSession();
  return data?.permissions.includes(permission) ?? false;
}

/**
 * disabledReason says why a control is of no use to a session without the permission; undefined when it is of use. Hand it to
 * Button as `reason`.
 */
export function disabledReason(can: boolean, what: string): string | undefined {
  return can ? undefined : `Your role does not include ${what}. Ask an owner or admin of the tenant.`;
}

/** useReason is useCan and disabledReason in one: `<Button reason={useReason("rules:write", "changing rules")}>`. */
export function useReason(permission: string, what: string): string | undefined {
  return disabledReason(useCan(permission), what);
}

interface IfCanProps {
  permission: string;
  children: ReactNode;
  /** Shown in place; nothing unless given. */
  otherwise?: ReactNode;
}

/** IfCan shows its children only to sessions that hold the permission. */
export function IfCan({ permission, children, otherwise = null }: IfCanProps) {
  return useCan(permission) ? children : otherwise;
}
