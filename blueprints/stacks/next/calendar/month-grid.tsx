"use client";

import Link from "next/link";
import { useSyncExternalStore } from "react";
import { Icon } from "@/components/icon";
import { formatDate } from "@/lib/format";

export interface CalendarEvent {
  id: number;
  title: string;
  /** A date, or an instant, which is shown in the reader's own zone. */
  start: string;
  end: string;
  tone: string;
}

interface Props {
  /** YYYY-MM */
  month: string;
  events: CalendarEvent[];
  slug: string;
  /** 0 is Sunday, 1 is Monday. */
  weekStart: number;
  /** The field that a new row of a day is begun with. */
  addField?: string;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const never = () => () => undefined;

const isInstant = (value: string): boolean => value.includes("T");

function localDay(instant: Date): string {
  return [instant.getFullYear(), instant.getMonth() + 1, instant.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** The days of whole weeks that a month lies in. */
function daysOf(month: string, weekStart: number): string[] {
  const first = new Date(`${month}-01T00:00:00Z`);
  const before = (first.getUTCDay() - weekStart + 7) % 7;
  const length = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const count = Math.ceil((before + length) / 7) * 7;
  return Array.from({ length: count }, (_, at) => new Date(first.getTime() + (at - before) * 86_400_000).toISOString().slice(0, 10));
}

export function MonthGrid({ month, events, slug, weekStart, addField }: Props) {
  const isRunning = useSyncExternalStore(never, () => true, () => false);
  const dayOf = (value: string) => (isInstant(value) && isRunning ? localDay(new Date(value)) : value.slice(0, 10));
  const timeOf = (value: string) => (isRunning ? clock.format(new Date(value)) : value.slice(11, 16));
  const today = isRunning ? localDay(new Date()) : "";
  const names = DAYS.map((_, at) => DAYS[(at + weekStart) % 7]);

  return (
    <div className="calendar card">
      <div className="calendar-names" aria-hidden="true">
        {names.map((name) => (
          <span key={name}>{name.slice(0, 3)}</span>
        ))}
      </div>
      <ol className="calendar-days">
        {daysOf(month, weekStart).map((day) => {
          const onDay = events.filter((event) => dayOf(event.start) <= day && day <= dayOf(event.end));
          const classes = ["calendar-day", day.startsWith(month) ? "" : "is-outside", day === today ? "is-today" : "", onDay.length === 0 ? "is-free" : ""];
          return (
            <li key={day} className={classes.filter(Boolean).join(" ")} aria-current={day === today ? "date" : undefined}>
              <div className="calendar-date">
                <time dateTime={day}>
                  <span className="visually-hidden">{formatDate(day)}</span>
                  <span aria-hidden="true">
                    <span className="calendar-weekday">{DAYS[new Date(`${day}T00:00:00Z`).getUTCDay()].slice(0, 3)} </span>
                    <span className="calendar-number">{Number(day.slice(8))}</span>
                  </span>
                </time>
                {addField && (
                  <Link className="calendar-add" href={`/${slug}/new?${addField}=${day}`} aria-label={`Add on ${formatDate(day)}`}>
                    <Icon name="plus" />
                  </Link>
                )}
              </div>
              <ul>
                {onDay.map((event) => (
                  <li key={event.id}>
                    <Link className={`calendar-event tone-${event.tone}`} href={`/${slug}/${event.id}`} title={event.title}>
                      {isInstant(event.start) && dayOf(event.start) === day && <span className="calendar-time">{timeOf(event.start)}</span>}
                      {event.title}
                    </Link>
                  </li>
                ))}
              </ul>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
