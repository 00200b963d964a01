"use client";

import { useRef, useState, useTransition } from "react";
import { Icon } from "./icon";

interface Props {
  /** What is deleted, such as "task". */
  what: string;
  title: string;
  /** Deletes and goes on; returns a message when it cannot. */
  action: () => Promise<string | undefined>;
}

export function DeleteButton({ what, title, action }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [message, setMessage] = useState("");
  const [isPending, startTransition] = useTransition();
  const open = () => {
    setMessage("");
    dialog.current?.showModal();
  };
  const confirm = () => startTransition(async () => setMessage((await action()) ?? ""));
  return (
    <>
      <button type="button" className="button danger-quiet" onClick={open}>
        <Icon name="trash" />
        Delete
      </button>
      <dialog ref={dialog} className="dialog" aria-labelledby="delete-title">
        <h2 id="delete-title">Delete this {what}?</h2>
        <p>
          <strong>{title}</strong> will be gone for good.
        </p>
        {message && (
          <p className="form-message" role="alert">
            {message}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button danger" disabled={isPending} onClick={confirm}>
            {isPending ? "Deleting…" : "Delete"}
          </button>
          <button type="button" className="button" autoFocus onClick={() => dialog.current?.close()}>
            Keep it
          </button>
        </div>
      </dialog>
    </>
  );
}
