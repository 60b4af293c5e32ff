import { Building2, Check, ChevronsUpDown } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type Session, useSwitchTenant } from "../../data/session";
import chrome from "./Chrome.module.css";
import { Logo } from "./Logo";
import styles from "./Nav.module.css";

/** TenantMenu names the tenant whose data is shown, and switches to another of the person's. */
export function TenantMenu({ session, narrow }: { session: Session; narrow: boolean }) {
  const switchTenant = useSwitchTenant();
  const name = session.tenant?.name ?? "Operator";
  const label = (
    <>
      <Logo />
      {!narrow && (
        <span className={styles.names}>
          <strong>Seamark</strong>
          <span>{name}</span>
        </span>
      )}
    </>
  );
  if (session.tenants.length < 2) {
    return (
      <div className={styles.brand} title={session.tenant?.slug ?? "Platform operator"}>
        {label}
      </div>
    );
  }
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={styles.brand}>
        {label}
        <span className="hidden-visually">: switch to another tenant</span>
        {!narrow && <ChevronsUpDown size={14} aria-hidden="true" />}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={`popup ${chrome.menu}`}
          align="start"
          sideOffset={4}
          collisionPadding={8}
        >
          <DropdownMenu.Label className={chrome.label}>Tenant</DropdownMenu.Label>
          {session.tenants.map(({ id, slug, name: other, role }) => (
            <DropdownMenu.Item
              key={id}
              className="menu-item"
              disabled={id === session.tenant?.id}
              onSelect={() => switchTenant.mutate(slug)}
            >
              {id === session.tenant?.id ? <Check size={15} /> : <Building2 size={15} />}
              {other}
              <small className={styles.role}>{role}</small>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
