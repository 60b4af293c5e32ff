import { BookOpen, Building2, Check, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useNavigate } from "react-router";
import { type Session, useSignOut, useSwitchTenant } from "../../data/session";
import { type Theme, useTheme } from "../../lib/theme";
import chrome from "./Chrome.module.css";

const choices = [
  { theme: "system", label: "Like the system", icon: Monitor },
  { theme: "light", label: "Light", icon: Sun },
  { theme: "dark", label: "Dark", icon: Moon },
] as const;

// Menus here are not modal: a modal one locks scrolling with an inline style sheet, which the policy forbids.
export function AccountMenu({ session }: { session: Session }) {
  const [theme, setTheme] = useTheme();
  const signOut = useSignOut();
  const switchTenant = useSwitchTenant();
  const navigate = useNavigate();
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={`${chrome.control} ${chrome.round}`}>
        <span aria-hidden="true">{session.login.slice(0, 2)}</span>
        <span className="hidden-visually">Account and theme</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={`popup ${chrome.menu}`}
          align="end"
          sideOffset={6}
          collisionPadding={8}
        >
          <div className={chrome.person}>
            <strong>{session.login}</strong>
            <span className="soft">
              {[session.role, session.tenant?.name ?? "operator"].filter(Boolean).join(" · ")}
            </span>
          </div>
          <div className={chrome.line} />
          <DropdownMenu.Label className={chrome.label}>Theme</DropdownMenu.Label>
          <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => setTheme(value as Theme)}>
            {choices.map(({ theme: value, label, icon: Icon }) => (
              <DropdownMenu.RadioItem key={value} value={value} className="menu-item" onSelect={keepOpen}>
                <Icon size={15} /> {label}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <div className={chrome.line} />
          {session.tenants.length > 1 && (
            <>
              <DropdownMenu.Label className={chrome.label}>Tenant</DropdownMenu.Label>
              {session.tenants.map(({ id, slug, name }) => (
                <DropdownMenu.Item
                  key={id}
                  className="menu-item"
                  disabled={id === session.tenant?.id}
                  onSelect={() => switchTenant.mutate(slug)}
                >
                  {id === session.tenant?.id ? <Check size={15} /> : <Building2 size={15} />} {name}
                </DropdownMenu.Item>
              ))}
              <div className={chrome.line} />
            </>
          )}
          <DropdownMenu.Item className="menu-item" onSelect={() => navigate("/account")}>
            <UserRound size={15} /> Account
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" asChild>
            <a href="/docs" target="_blank" rel="noreferrer">
              <BookOpen size={15} /> API reference
            </a>
          </DropdownMenu.Item>
          <DropdownMenu.Item className="menu-item" onSelect={() => signOut.mutate()}>
            <LogOut size={15} /> Sign out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** A theme is chosen by looking at it, so the menu stays. */
function keepOpen(event: Event): void {
  event.preventDefault();
}
