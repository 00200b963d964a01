"use client";

import { useRouter } from "next/navigation";
import { useState, type FormEvent } from "react";
import type { ApiToken } from "@/auth/tokens";
import { Icon } from "@/components/icon";
import { LocalTime } from "@/components/local-time";

export function Tokens({ tokens }: { tokens: ApiToken[] }) {
  const router = useRouter();
  const [created, setCreated] = useState("");
  const [error, setError] = useState("");

  const create = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const body = JSON.stringify({ name: new FormData(form).get("name") });
    const response = await fetch("/api/tokens", { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
    const answer = await response?.json().catch(() => null);
    setError(response?.ok ? "" : (answer?.fields?.name ?? "The token could not be made."));
    if (!response?.ok) return;
    setCreated(answer.token);
    form.reset();
    router.refresh();
  };

  const revoke = async (id: number) => {
    await fetch(`/api/tokens/${id}`, { method: "DELETE" });
    router.refresh();
  };

  return (
    <div className="stack settings">
      <form className="card inline-form" onSubmit={create} noValidate>
        <div className="field">
          <label htmlFor="token-name">Name of a new token</label>
          <input id="token-name" name="name" placeholder="What it is for" autoComplete="off" aria-invalid={error ? true : undefined} aria-describedby="token-error" />
        </div>
        <button type="submit" className="button primary">
          Create token
        </button>
        <p id="token-error" className="field-error" role="alert">
          {error}
        </p>
      </form>
      {created && (
        <div className="card card-body secret" role="status">
          <p>
            <strong>Copy the token now.</strong> It is not shown again.
          </p>
          <code>{created}</code>
        </div>
      )}
      <section className="card" aria-label="Tokens">
        {tokens.length === 0 ? (
          <p className="muted card-note">No tokens yet.</p>
        ) : (
          <ul className="rows">
            {tokens.map((token) => (
              <li key={token.id} className="row-link">
                <span className="row-title">{token.name}</span>
                <span className="muted">{token.usedAt ? <>Used <LocalTime value={token.usedAt} /></> : "Never used"}</span>
                <button type="button" className="icon-button" aria-label={`Revoke ${token.name}`} title="Revoke" onClick={() => revoke(token.id)}>
                  <Icon name="trash" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}
