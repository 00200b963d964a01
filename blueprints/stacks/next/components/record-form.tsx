"use client";

import Link from "next/link";
import { createContext, startTransition, useActionState, useContext, useEffect, useRef, type FormEvent, type ReactNode } from "react";
import type { FormAction, FormState } from "@/lib/forms";

const FormContext = createContext<FormState>({ errors: {} });

export const useFormState = (): FormState => useContext(FormContext);

interface Props {
  action: FormAction;
  submitLabel: string;
  cancelHref?: string;
  children: ReactNode;
}

/** A form whose fields show what the server refused. What was typed stays. */
export function RecordForm({ action, submitLabel, cancelHref, children }: Props) {
  const [state, formAction, isPending] = useActionState(action, { errors: {} });
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [state]);

  // Submitting through onSubmit keeps React from resetting the fields; without JavaScript the action is posted.
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    startTransition(() => formAction(data));
  };

  const faults = Object.keys(state.errors).length;
  return (
    <FormContext value={state}>
      <form ref={form} className="form card" action={formAction} onSubmit={submit} noValidate>
        {(state.message || faults > 0) && (
          <p className="form-message" role="alert">
            {state.message ?? (faults === 1 ? "One field needs attention." : `${faults} fields need attention.`)}
          </p>
        )}
        <div className="form-fields">{children}</div>
        <div className="form-actions">
          <button type="submit" className="button primary" disabled={isPending}>
            {isPending ? "Saving…" : submitLabel}
          </button>
          {cancelHref && (
            <Link className="button" href={cancelHref}>
              Cancel
            </Link>
          )}
        </div>
      </form>
    </FormContext>
  );
}
