import styles from "./Skeleton.module.css";

interface SkeletonProps {
  /** How many lines stand in for the content. */
  rows?: number;
  /** The height of the whole instead, for a chart or a card. */
  height?: number;
}

/** Skeleton holds the place of content that is on its way, so that nothing jumps when it comes. */
export function Skeleton({ rows = 8, height }: SkeletonProps) {
  if (height !== undefined)
    return <div className={styles.block} style={{ height }} data-skeleton="" aria-hidden="true" />;
  return (
    <div className={styles.rows} data-skeleton="" aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => `${40 + ((i * 37) % 55)}%`).map((width, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows never change.
        <i key={i} style={{ width }} />
      ))}
    </div>
  );
}
