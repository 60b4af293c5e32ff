import { Popover } from "radix-ui";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { formatDateTime, type Zone } from "../../lib/clock";
import { type Exemplar, keyOf, otherLabels, traceOf, unitOfOne } from "../../lib/exemplar";
import { seriesName } from "../../lib/matrix";
import { type PlotArea, type PlotPoint, pointIn } from "../../lib/plotarea";
import { formatUnit, type Unit } from "../../lib/units";
import { KeyValues } from "../KeyValues";
import styles from "./ExemplarPoints.module.css";
import { TraceActions } from "./TraceActions";

interface ExemplarPointsProps {
  exemplars: readonly Exemplar[];
  area: PlotArea;
  unit: Unit;
  zone: Zone;
}

interface Placed {
  readonly one: Exemplar;
  readonly key: string;
  readonly point: PlotPoint;
}

// So long the pointer may be on its way from a point to its card.
const leaveMs = 160;

/**
 * ExemplarPoints lies over a plot: one point for each exemplar. Pointing at one or focusing it shows what it is; a press or Enter leads
 * into that card, and arrow keys go from point to point.
 */
export function ExemplarPoints({ exemplars, area, unit, zone }: ExemplarPointsProps) {
  const [shown, setShown] = useState<string>();
  const [focused, setFocused] = useState<string>();
  const box = useRef<HTMLFieldSetElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const anchor = useRef<HTMLElement>(null);
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined);
  const placed = useMemo(() => placedIn(exemplars, area), [exemplars, area]);
  const active = placed.find(({ key }) => key === shown);
  const buttonOf = (key: string | undefined) =>
    [...(box.current?.querySelectorAll("button") ?? [])].find(({ dataset }) => dataset.key === key);

  const stay = () => clearTimeout(leaving.current);
  const show = (key: string, point: HTMLElement) => {
    stay();
    anchor.current = point;
    setShown(key);
  };
  const leave = () => {
    stay();
    // What was entered by keyboard or press stays until it is left.
    leaving.current = setTimeout(() => {
      if (!card.current?.contains(document.activeElement)) setShown(undefined);
    }, leaveMs);
  };
  const onKeyDown = (event: KeyboardEvent, place: number) => {
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: placed.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttonOf(placed[to]?.key)?.focus();
  };
  const tabbed = placed.some(({ key }) => key === focused) ? focused : placed[0]?.key;

  return (
    <Popover.Root open={active !== undefined} onOpenChange={(open) => !open && setShown(undefined)}>
      <Popover.Anchor virtualRef={anchor} />
      <fieldset ref={box} className={styles.points} aria-label="Exemplars in the graph">
        {placed.map(({ one, key, point }, place) => (
          <button
            key={key}
            type="button"
            data-key={key}
            className={styles.point}
            style={point}
            tabIndex={key === tabbed ? 0 : -1}
            aria-label={`Exemplar ${formatUnit(one.value, unitOfOne(unit))}, ${formatDateTime(one.seconds * 1000, zone)}`}
            onPointerEnter={(event) => show(key, event.currentTarget)}
            onPointerLeave={leave}
            onFocus={(event) => {
              setFocused(key);
              show(key, event.currentTarget);
            }}
            onBlur={leave}
            onKeyDown={(event) => onKeyDown(event, place)}
            onClick={(event) => {
              show(key, event.currentTarget);
              // The card is there after this; its first link or button takes the focus.
              requestAnimationFrame(() => card.current?.querySelector<HTMLElement>("a, button")?.focus());
            }}
          />
        ))}
      </fieldset>
      {active && (
        <Popover.Portal>
          <Popover.Content
            ref={card}
            className={`popup ${styles.card}`}
            aria-label="Exemplar"
            side="top"
            sideOffset={4}
            collisionPadding={8}
            onPointerEnter={stay}
            onPointerLeave={leave}
            onOpenAutoFocus={(event) => event.preventDefault()}
            onCloseAutoFocus={(event) => event.preventDefault()}
            onEscapeKeyDown={() => buttonOf(shown)?.focus({ preventScroll: true })}
            onInteractOutside={(event) => {
              if (box.current?.contains(event.target as Node)) event.preventDefault();
            }}
          >
            <Details one={active.one} unit={unit} zone={zone} />
          </Popover.Content>
        </Popover.Portal>
      )}
    </Popover.Root>
  );
}

/** placedIn puts exemplars on the plot, the earliest first: the order in which the keyboard goes. */
function placedIn(exemplars: readonly Exemplar[], area: PlotArea): Placed[] {
  return exemplars
    .flatMap((one) => {
      const point = pointIn(area, one.seconds, one.value);
      return point ? [{ one, key: keyOf(one), point }] : [];
    })
    .sort((a, b) => a.point.left - b.point.left);
}

function Details({ one, unit, zone }: { one: Exemplar; unit: Unit; zone: Zone }) {
  const trace = traceOf(one);
  return (
    <>
      <KeyValues
        items={[
          ["Value", <strong key="value">{formatUnit(one.value, unitOfOne(unit))}</strong>],
          ["Time", formatDateTime(one.seconds * 1000, zone)],
          ["Trace", trace ? <code key="trace">{trace}</code> : undefined],
          ...otherLabels(one).map(([name, value]) => [name, <code key={name}>{value}</code>] as const),
          ["Series", <code key="series">{seriesName(one.series)}</code>],
        ]}
      />
      {trace && <TraceActions trace={trace} />}
    </>
  );
}
