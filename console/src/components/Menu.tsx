import type { LucideIcon } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { Fragment, type ReactNode } from "react";
import styles from "./Menu.module.css";

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly icon?: LucideIcon;
  /** Soft, at the end: a shortcut, a count. */
  readonly note?: string;
  readonly danger?: boolean;
  readonly checked?: boolean;
  /** Why it is of no use now. */
  readonly reason?: string | undefined;
  run(): void;
}

interface MenuProps {
  /** The button that opens it, such as a Button. */
  trigger: ReactNode;
  /** Items, or groups of them with a line between. */
  items: readonly (MenuItem | readonly MenuItem[])[];
  /** A heading. */
  label?: string;
  align?: "start" | "end";
}

// Menus are not modal: a modal one locks scrolling with an inline style sheet, which the policy forbids.

/** Menu opens a list of things to do below its trigger. */
export function Menu({ trigger, items, label, align = "end" }: MenuProps) {
  const groups = groupsOf(items);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={`popup ${styles.menu}`}
          align={align}
          sideOffset={5}
          collisionPadding={8}
        >
          {label && <DropdownMenu.Label className={styles.label}>{label}</DropdownMenu.Label>}
          {groups.map((group, place) => (
            <Fragment key={group[0]?.id}>
              {place > 0 && <DropdownMenu.Separator className={styles.line} />}
              {group.map((item) => (
                <Item key={item.id} item={item} />
              ))}
            </Fragment>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** groupsOf puts items that stand alone next to each other into one group. */
function groupsOf(items: readonly (MenuItem | readonly MenuItem[])[]): MenuItem[][] {
  const groups: MenuItem[][] = [];
  let alone: MenuItem[] | undefined;
  for (const entry of items) {
    if ("id" in entry) {
      if (!alone) {
        alone = [];
        groups.push(alone);
      }
      alone.push(entry);
    } else {
      alone = undefined;
      if (entry.length > 0) groups.push([...entry]);
    }
  }
  return groups;
}

function Item({ item }: { item: MenuItem }) {
  const { label, icon: Icon, note, danger = false, checked, reason, run } = item;
  return (
    <DropdownMenu.Item
      className={`menu-item ${styles.item}`}
      data-danger={danger}
      data-state={checked ? "checked" : undefined}
      disabled={reason !== undefined}
      title={reason}
      onSelect={run}
    >
      {Icon && <Icon size={15} aria-hidden="true" />}
      <span>{label}</span>
      {note && <small>{note}</small>}
    </DropdownMenu.Item>
  );
}
