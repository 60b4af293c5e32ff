import { Check, MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import type { Permission, Role } from "../../data/roles";
import { Button } from "../Button";
import { Menu } from "../Menu";
import styles from "./RoleMatrix.module.css";

interface RoleMatrixProps {
  roles: readonly Role[];
  permissions: readonly Permission[];
  /** Why roles cannot be changed by this person. */
  reason: string | undefined;
  onEdit: (role: Role) => void;
  onDelete: (role: Role) => void;
}

/** RoleMatrix has a line for each permission and a column for each role. */
export function RoleMatrix({ roles, permissions, reason, onEdit, onDelete }: RoleMatrixProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section className={styles.box} tabIndex={0} aria-label="Roles and what they allow">
      <table className={styles.matrix} aria-label="Roles">
        <thead>
          <tr>
            <th scope="col">Permission</th>
            {roles.map((role) => (
              <th key={role.name} scope="col" title={role.description}>
                <span className={styles.role}>
                  {role.name}
                  {!role.built_in && !reason && (
                    <Menu
                      label={role.name}
                      trigger={
                        <Button variant="quiet" small icon aria-label={`Actions for role ${role.name}`}>
                          <MoreHorizontal size={15} />
                        </Button>
                      }
                      items={[
                        { id: "edit", label: "Change", icon: Pencil, run: () => onEdit(role) },
                        {
                          id: "delete",
                          label: "Delete",
                          icon: Trash2,
                          danger: true,
                          run: () => onDelete(role),
                        },
                      ]}
                    />
                  )}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {permissions.map((permission, place) => (
            <tr
              key={permission.name}
              data-first={place > 0 && nounOf(permission) !== nounOf(permissions[place - 1])}
            >
              <th scope="row" title={permission.description}>
                <code>{permission.name}</code>
                <small>{permission.description}</small>
              </th>
              {roles.map(({ name, permissions: held }) => (
                <td key={name}>
                  {held.includes(permission.name) ? (
                    <Check size={15} role="img" aria-label="allowed" />
                  ) : (
                    <span aria-label="not allowed" role="img">
                      ·
                    </span>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function nounOf(permission: Permission | undefined): string {
  return permission?.name.split(":")[0] ?? "";
}
