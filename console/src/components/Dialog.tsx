import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { FormEvent, ReactNode } from "react";
import { useState } from "react";
import { Button } from "./Button";
import styles from "./Dialog.module.css";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** One sentence below the title. */
  about?: ReactNode;
  /** Buttons at the foot, the primary one last. A form with buttons of its own needs none. */
  actions?: ReactNode;
  width?: "narrow" | "medium" | "wide";
  children?: ReactNode;
}

// Radix's own overlay is not used: it locks scrolling with an inline style sheet, which the policy forbids.

/** Dialog is a modal window in the middle of the page. Escape and a press beside it close; the focus returns to where it was. */
export function Dialog({ open, onClose, title, about, actions, width = "medium", children }: DialogProps) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Radix.Portal>
        <div className={styles.ground} />
        <Radix.Content
          className={`popup ${styles.dialog}`}
          data-width={width}
          {...(about ? {} : { "aria-describedby": undefined })}
          // A press on a message, such as its Undo, is not one beside the dialog.
          onInteractOutside={(event) => isMessage(event.target) && event.preventDefault()}
        >
          <Head title={title} about={about} />
          <div className={styles.body}>{children}</div>
          {actions && <footer className={styles.foot}>{actions}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** isMessage is asked after the press was handled; a message whose Undo was pressed has gone by then. */
function isMessage(target: EventTarget | null): boolean {
  return target instanceof Element && (!target.isConnected || target.closest("[data-messages]") !== null);
}

interface DrawerProps {
  open: boolean;
  onClose: () => void;
  title: string;
  about?: ReactNode;
  /** Buttons in the head. */
  actions?: ReactNode;
  /** Leaves the page behind it usable, as the details of a row in a list want it. */
  modal?: boolean;
  children: ReactNode;
}

/** Drawer is a panel at the right edge for the details of something; on phones it takes the whole width. */
export function Drawer({ open, onClose, title, about, actions, modal = false, children }: DrawerProps) {
  return (
    <Radix.Root open={open} modal={modal} onOpenChange={(next) => next || onClose()}>
      <Radix.Portal>
        {modal && <div className={styles.ground} />}
        <Radix.Content
          className={styles.drawer}
          {...(about ? {} : { "aria-describedby": undefined })}
          // A press on another row of the list shows that one; it must not close the drawer first.
          onInteractOutside={(event) => modal || event.preventDefault()}
        >
          <Head title={title} about={about} actions={actions} />
          <div className={styles.body}>{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Head({ title, about, actions }: { title: string; about?: ReactNode; actions?: ReactNode }) {
  return (
    <header className={styles.head}>
      <div className={styles.titles}>
        <Radix.Title className={styles.title}>{title}</Radix.Title>
        {about && <Radix.Description className={styles.about}>{about}</Radix.Description>}
      </div>
      {actions}
      <Radix.Close asChild>
        <Button variant="quiet" icon aria-label="Close">
          <X size={16} />
        </Button>
      </Radix.Close>
    </header>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** What goes and cannot come back. */
  children: ReactNode;
  /** The name that must be typed. */
  name: string;
  /** The button's word; "Delete" unless given. */
  verb?: string;
  busy?: boolean;
  /** The fault of the last attempt. */
  error?: Error | null;
  onConfirm: () => void;
}

/** ConfirmDialog asks to type the name of what goes for good. What can be restored uses useUndoable instead. */
export function ConfirmDialog(props: ConfirmProps) {
  const { open, onClose, title, children, name, verb = "Delete", busy = false, error, onConfirm } = props;
  const [typed, setTyped] = useState("");
  const close = () => {
    setTyped("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === name && !busy) onConfirm();
  };
  return (
    <Dialog open={open} onClose={close} title={title} width="narrow">
      <form className={styles.confirm} onSubmit={submit}>
        <div>{children}</div>
        <label>
          <span>
            Type <code>{name}</code> to confirm
          </span>
          <input
            className="input"
            value={typed}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </label>
        {error && (
          <p className={styles.fault} role="alert">
            {error.message}
          </p>
        )}
        <footer className={styles.foot}>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="danger" busy={busy} disabled={typed !== name}>
            {verb}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
