"use client";

import Link from "next/link";
import { useState, type FormEvent } from "react";

interface Props {
  kind: "sign-in" | "sign-up";
  appName: string;
  /** Where to go afterwards. */
  next: string;
}

interface Answer {
  error?: string;
  fields?: Record<string, string>;
}

const WORDS = {
  "sign-in": { title: "Welcome back", submit: "Sign in", other: "No account yet?", otherLink: "Create one", otherHref: "/sign-up" },
  "sign-up": { title: "Create an account", submit: "Create account", other: "You have an account?", otherLink: "Sign in", otherHref: "/sign-in" },
};

/** Only a path of this app: an address elsewhere could be meant to deceive. */
const ownPath = (next: string): string => (/^\/(?![/\\])/.test(next) ? next : "/");

export function AccountForm({ kind, appName, next }: Props) {
  const [answer, setAnswer] = useState<Answer>({});
  const [isBusy, setBusy] = useState(false);
  const words = WORDS[kind];

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = JSON.stringify(Object.fromEntries(new FormData(event.currentTarget)));
    setBusy(true);
    const response = await fetch(`/api/auth/${kind}`, { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
    if (response?.ok) {
      window.location.assign(ownPath(next));
      return;
    }
    setAnswer((await response?.json().catch(() => null)) ?? { error: "unreachable" });
    setBusy(false);
  };

  const message =
    answer.error === "invalid_credentials"
      ? "The email or the password is not right."
      : answer.error === "too_many_attempts"
        ? "Too many attempts. Try again in a few minutes."
        : answer.error && !answer.fields
          ? "That did not work. Please try again."
          : null;

  const field = (name: string, label: string, type: string, autoComplete: string) => {
    const error = answer.fields?.[name];
    return (
      <div className="field">
        <label htmlFor={name}>{label}</label>
        <input
          id={name}
          name={name}
          type={type}
          autoComplete={autoComplete}
          required
          aria-invalid={error ? true : undefined}
          aria-describedby={error ? `${name}-error` : undefined}
        />
        {error && (
          <p id={`${name}-error`} className="field-error">
            {error}
          </p>
        )}
      </div>
    );
  };

  return (
    <div className="auth">
      <div className="brand">
        <span className="brand-mark" aria-hidden="true">
          {appName.slice(0, 1).toUpperCase()}
        </span>
        <span className="brand-name">{appName}</span>
      </div>
      <form className="form card" method="post" onSubmit={submit} noValidate>
        <h1>{words.title}</h1>
        {message && (
          <p className="form-message" role="alert">
            {message}
          </p>
        )}
        <div className="form-fields">
          {kind === "sign-up" && field("name", "Name", "text", "name")}
          {field("email", "Email", "email", "email")}
          {field("password", "Password", "password", kind === "sign-up" ? "new-password" : "current-password")}
        </div>
        <button type="submit" className="button primary" disabled={isBusy}>
          {isBusy ? "One moment…" : words.submit}
        </button>
      </form>
      <p className="auth-foot">
        {words.other} <Link href={`${words.otherHref}?next=${encodeURIComponent(ownPath(next))}`}>{words.otherLink}</Link>
      </p>
    </div>
  );
}
