"use client";

import { useSyncExternalStore } from "react";

const never = () => () => undefined;
const full = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** An instant in the reader's own zone; until the page runs, in UTC. */
export function LocalTime({ value, timeOnly = false }: { value: string | null; timeOnly?: boolean }) {
  const isRunning = useSyncExternalStore(never, () => true, () => false);
  if (!value) return <span className="none" aria-label="None">–</span>;
  const utc = timeOnly ? value.slice(11, 16) : `${value.slice(0, 10)} ${value.slice(11, 16)}`;
  return <time dateTime={value}>{isRunning ? (timeOnly ? clock : full).format(new Date(value)) : utc}</time>;
}
