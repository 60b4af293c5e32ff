import { BellOff } from "lucide-react";
import { presetSeconds } from "../../lib/alertsilence";
import { formatDuration } from "../../lib/duration";
import { Button } from "../Button";
import { Menu } from "../Menu";

interface SilenceButtonProps {
  /** Why there is nothing to do. */
  reason: string | undefined;
  busy?: boolean;
  /** The button's name for screen readers, since many stand in one list. */
  label: string;
  /** Shows the word beside the icon. */
  wide?: boolean;
  onSilence: (seconds: number) => void;
  /** Opens the form with everything to choose. */
  onMore: () => void;
}

const quick = ["1h", "4h", "1d", "7d"];

/** SilenceButton silences in two clicks: the button, and for how long. */
export function SilenceButton(props: SilenceButtonProps) {
  const { reason, busy = false, label, wide = false, onSilence, onMore } = props;
  const button = (
    <Button
      small={!wide}
      variant={wide ? "plain" : "quiet"}
      icon={!wide}
      busy={busy}
      reason={reason}
      aria-label={wide ? undefined : label}
      title={label}
    >
      <BellOff size={15} />
      {wide && "Silence"}
    </Button>
  );
  if (reason !== undefined) return button;
  return (
    <Menu
      trigger={button}
      label="Silence this alert"
      items={[
        quick.map((preset) => ({
          id: preset,
          label: `For ${formatDuration(presetSeconds(preset))}`,
          run: () => onSilence(presetSeconds(preset)),
        })),
        [{ id: "more", label: "Choose more…", run: onMore }],
      ]}
    />
  );
}
