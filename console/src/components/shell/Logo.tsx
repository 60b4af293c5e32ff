/** Logo is the buoy: a lamp over a float over water. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 3l4.6 6.6h-9.2z" fill="var(--lamp)" />
      <path d="M12.8 11.4h6.4l2.4 10.4H10.4z" fill="#4fb8d8" />
      <path
        d="M3.6 25c2.5 0 2.5 2 5 2s2.4-2 4.9-2 2.5 2 5 2 2.4-2 4.9-2 2.5 2 5 2"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
