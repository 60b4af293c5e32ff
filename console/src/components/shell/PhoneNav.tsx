import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import type { Session } from "../../data/session";
import { Nav } from "./Nav";
import styles from "./Shell.module.css";

interface PhoneNavProps {
  session: Session;
  open: boolean;
  onClose: () => void;
  onPalette: () => void;
}

/** PhoneNav is the navigation of narrow screens, behind the top bar's menu button. */
export function PhoneNav({ session, open, onClose, onPalette }: PhoneNavProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Dialog.Portal>
        <div className={styles.ground} />
        <Dialog.Content className={styles.phone} aria-describedby={undefined}>
          <Dialog.Title className="hidden-visually">Menu</Dialog.Title>
          <Nav
            session={session}
            narrow={false}
            onGo={onClose}
            onPalette={() => {
              onClose();
              onPalette();
            }}
          />
          <Dialog.Close className={styles.close} aria-label="Close the menu">
            <X size={18} />
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
