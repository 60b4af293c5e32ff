import { ChevronDown, RotateCw } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { formatDuration } from "../../lib/duration";
import { useTime } from "../../lib/time";
import chrome from "./Chrome.module.css";

const choices = [0, 5, 15, 60];

export function RefreshControl() {
  const { refresh, refreshSeconds, setRefreshSeconds } = useTime();
  return (
    <div className={chrome.pair}>
      <button type="button" className={chrome.control} onClick={refresh} aria-label="Refresh" title="Refresh">
        <RotateCw size={15} />
        {refreshSeconds > 0 && formatDuration(refreshSeconds)}
      </button>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger className={chrome.control} aria-label="Refresh by itself">
          <ChevronDown size={14} />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            className={`popup ${chrome.menu}`}
            align="end"
            sideOffset={6}
            collisionPadding={8}
          >
            <DropdownMenu.Label className={chrome.label}>Refresh by itself</DropdownMenu.Label>
            <DropdownMenu.RadioGroup
              value={String(refreshSeconds)}
              onValueChange={(value) => setRefreshSeconds(Number(value))}
            >
              {choices.map((seconds) => (
                <DropdownMenu.RadioItem key={seconds} value={String(seconds)} className="menu-item">
                  {seconds === 0 ? "Off" : `Every ${formatDuration(seconds)}`}
                </DropdownMenu.RadioItem>
              ))}
            </DropdownMenu.RadioGroup>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </div>
  );
}
