"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState, type FormEvent } from "react";
import type { RecordOption } from "@/lib/options";

interface Props {
  /** Where the timer is started and stopped. */
  path: string;
  /** When the running entry began. */
  since: string | null;
  title: string;
  /** What time is spent on, where the entries have it. */
  subject: { name: string; label: string; options: RecordOption[] } | null;
  canWrite: boolean;
}

function elapsed(since: string, time: number): string {
  const seconds = Math.max(0, Math.floor((time - Date.parse(since)) / 1000));
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

export function Stopwatch({ path, since, title, subject, canWrite }: Props) {
  const router = useRouter();
  const [time, setTime] = useState<number | null>(null);
  const [message, setMessage] = useState("");
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    if (!since) return;
    setTime(Date.now());
    const ticking = setInterval(() => setTime(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, [since]);

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const chosen = subject && new FormData(event.currentTarget).get(subject.name);
    const body = JSON.stringify(subject && chosen ? { [subject.name]: Number(chosen) } : {});
    setBusy(true);
    const response = await fetch(`${path}/${since ? "stop" : "start"}`, { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
    const answer = response?.ok ? null : await response?.json().catch(() => null);
    setMessage(response?.ok ? "" : answer?.fields ? Object.values(answer.fields).join(" ") : "That did not work. Please try again.");
    setBusy(false);
    router.refresh();
  };

  return (
    <form className={since ? "card stopwatch is-running" : "card stopwatch"} onSubmit={send}>
      <p className="stopwatch-time" role="timer">
        {since && time ? elapsed(since, time) : "00:00:00"}
      </p>
      {since ? (
        <p className="stopwatch-title">{title}</p>
      ) : (
        subject && (
          <select name={subject.name} aria-label={subject.label} defaultValue="">
            <option value="">{subject.label}…</option>
            {subject.options.map((option) => (
              <option key={option.id} value={option.id}>
                {option.label}
              </option>
            ))}
          </select>
        )
      )}
      {canWrite && (
        <button type="submit" className={since ? "button danger" : "button primary"} disabled={isBusy}>
          {since ? "Stop" : "Start"}
        </button>
      )}
      {message && (
        <p className="field-error" role="alert">
          {message}
        </p>
      )}
    </form>
  );
}
