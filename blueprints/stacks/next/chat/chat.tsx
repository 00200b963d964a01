"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type ReactNode } from "react";

const POLL_MS = 4000;

/** The messages, scrolled to the newest and asked for again while the page is seen. */
export function Stream({ count, children }: { count: number; children: ReactNode }) {
  const router = useRouter();
  const list = useRef<HTMLUListElement>(null);

  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [count]);

  useEffect(() => {
    const polling = setInterval(() => document.visibilityState === "visible" && router.refresh(), POLL_MS);
    return () => clearInterval(polling);
  }, [router]);

  return (
    <ul ref={list} className="chat-stream" role="log" aria-live="polite" tabIndex={0} aria-label="Messages">
      {children}
    </ul>
  );
}

interface ComposerProps {
  path: string;
  /** The field of the text. */
  body: string;
  room: { name: string; id: number };
  maxLength: number;
}

export function Composer({ path, body, room, maxLength }: ComposerProps) {
  const router = useRouter();
  const [text, setText] = useState("");
  const [error, setError] = useState("");

  const send = async () => {
    if (!text.trim()) return;
    const message = JSON.stringify({ [body]: text, [room.name]: room.id });
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: message }).catch(() => null);
    const answer = response?.ok ? null : await response?.json().catch(() => null);
    setError(response?.ok ? "" : answer?.fields ? Object.values(answer.fields).join(" ") : "The message was not sent.");
    if (response?.ok) setText("");
    router.refresh();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  // Enter sends, Shift and Enter begin a new line.
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };

  return (
    <form className="composer" onSubmit={submit}>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
      <textarea rows={1} value={text} maxLength={maxLength} placeholder="Write a message" aria-label="Message" onChange={(event) => setText(event.target.value)} onKeyDown={press} />
      <button type="submit" className="button primary" disabled={!text.trim()}>
        Send
      </button>
    </form>
  );
}
