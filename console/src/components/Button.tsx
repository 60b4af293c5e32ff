import { LoaderCircle } from "lucide-react";
import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./Button.module.css";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: "plain" | "primary" | "quiet" | "danger";
  small?: boolean;
  /** For a button that shows an icon alone; give it an aria-label. */
  icon?: boolean;
  /** Work is under way: the button turns, and presses do nothing. */
  busy?: boolean;
  /** Why the button is of no use now. It then does nothing but can still be focused, so that everybody learns the reason. */
  reason?: string | undefined;
  ref?: Ref<HTMLButtonElement>;
}

/** Button is a button that does not submit unless told to by type="submit". */
export function Button({
  variant = "plain",
  small = false,
  icon = false,
  busy = false,
  reason,
  className = "",
  children,
  onClick,
  title,
  ...rest
}: ButtonProps) {
  const classes = [
    "button",
    variant !== "plain" && variant,
    small && "small",
    icon && "icon",
    styles.button,
    className,
  ];
  const off = busy || reason !== undefined;
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      title={reason ?? title}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (off) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy && <LoaderCircle size={14} className={styles.turning} aria-hidden="true" />}
      {busy && icon ? null : children}
    </button>
  );
}
