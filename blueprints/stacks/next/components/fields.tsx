"use client";

import { useEffect, useId, useState, type ReactNode } from "react";
import type { FileInfo, Option, RecordOption } from "@/lib/options";
import { useFormState } from "./record-form";

interface FieldProps {
  name: string;
  label: string;
  help?: string;
  required?: boolean;
}

interface ShellProps extends FieldProps {
  id: string;
  error?: string;
  wide?: boolean;
  children: ReactNode;
}

function FieldShell({ id, label, help, required, error, wide, children }: ShellProps) {
  return (
    <div className={wide ? "field field-wide" : "field"}>
      <label htmlFor={id}>
        {label}
        {!required && <span className="optional">optional</span>}
      </label>
      {children}
      <FieldNotes id={id} help={help} error={error} />
    </div>
  );
}

/** What describes a control: `useField` names them by these ids. */
function FieldNotes({ id, help, error }: { id: string; help?: string; error?: string }) {
  return (
    <>
      {help && (
        <p id={`${id}-help`} className="field-help">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="field-error">
          {error}
        </p>
      )}
    </>
  );
}

/** What the control of a field needs to be named, described and kept. */
function useField({ name, help, required }: FieldProps, value: string) {
  const id = useId();
  const { errors, texts } = useFormState();
  const error = errors[name] as string | undefined;
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return {
    id,
    error,
    value: texts?.[name] ?? value,
    control: {
      id,
      name,
      required,
      "aria-invalid": error ? true : undefined,
      "aria-describedby": describedBy || undefined,
    },
  };
}

interface InputProps extends FieldProps {
  type?: "text" | "email" | "url" | "tel" | "date" | "time" | "password";
  value?: string | null;
  maxLength?: number;
  autoComplete?: string;
}

export function Input({ type = "text", value, maxLength, autoComplete, ...field }: InputProps) {
  const { id, error, control, value: shown } = useField(field, value ?? "");
  const wide = type === "text" || type === "url";
  return (
    <FieldShell {...field} id={id} error={error} wide={wide}>
      <input {...control} type={type} defaultValue={shown} maxLength={maxLength} autoComplete={autoComplete ?? "off"} />
    </FieldShell>
  );
}

export function Textarea({ value, maxLength, ...field }: FieldProps & { value?: string | null; maxLength?: number }) {
  const { id, error, control, value: shown } = useField(field, value ?? "");
  return (
    <FieldShell {...field} id={id} error={error} wide>
      <textarea {...control} rows={5} defaultValue={shown} maxLength={maxLength} />
    </FieldShell>
  );
}

interface NumberProps extends FieldProps {
  value?: number | null;
  step?: string;
  min?: number;
  max?: number;
  unit?: string;
}

export function Amount({ value, step = "1", min, max, unit, ...field }: NumberProps) {
  const { id, error, control, value: shown } = useField(field, value === null || value === undefined ? "" : String(value));
  return (
    <FieldShell {...field} id={id} error={error}>
      <span className={unit ? "with-unit" : undefined}>
        <input {...control} type="number" inputMode="decimal" step={step} min={min} max={max} defaultValue={shown} />
        {unit && <span className="unit">{unit}</span>}
      </span>
    </FieldShell>
  );
}

/** An amount, typed in units and kept in cents. */
export function Money({ value, min, currency, ...field }: FieldProps & { value?: number | null; min?: number; currency: string }) {
  const units = value === null || value === undefined ? "" : (value / 100).toFixed(2);
  const { id, error, control, value: shown } = useField(field, units);
  return (
    <FieldShell {...field} id={id} error={error}>
      <span className="with-unit">
        <input {...control} type="number" inputMode="decimal" step="0.01" min={min === undefined ? undefined : min / 100} defaultValue={shown} />
        <span className="unit">{currency}</span>
      </span>
    </FieldShell>
  );
}

export function Checkbox({ value, ...field }: FieldProps & { value?: boolean }) {
  const { id, error, control, value: shown } = useField(field, String(value ?? false));
  return (
    <div className="field">
      <span className="check">
        <input type="hidden" name={field.name} value="false" />
        <input {...control} required={undefined} type="checkbox" value="true" defaultChecked={shown === "true"} />
        <label htmlFor={id}>{field.label}</label>
      </span>
      <FieldNotes id={id} help={field.help} error={error} />
    </div>
  );
}

export function Select({ value, options, ...field }: FieldProps & { value?: string | null; options: readonly Option[] }) {
  const { id, error, control, value: shown } = useField(field, value ?? "");
  return (
    <FieldShell {...field} id={id} error={error}>
      <select {...control} defaultValue={shown}>
        <option value="">{field.required ? "Choose…" : "None"}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </FieldShell>
  );
}

interface ReferenceProps extends FieldProps {
  value?: number | null;
  options: readonly RecordOption[];
  /** Where a missing one can be added. */
  addHref?: string;
}

export function Reference({ value, options, addHref, ...field }: ReferenceProps) {
  const { id, error, control, value: shown } = useField(field, value ? String(value) : "");
  return (
    <FieldShell {...field} id={id} error={error}>
      <select {...control} defaultValue={shown}>
        <option value="">{field.required ? "Choose…" : "None"}</option>
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.label}
          </option>
        ))}
      </select>
      {addHref && options.length === 0 && (
        <p className="field-help">
          There is nothing to choose yet. <a href={addHref}>Add one</a>
        </p>
      )}
    </FieldShell>
  );
}

/** Typed in the reader's own zone, sent as an instant. */
export function Instant({ value, ...field }: FieldProps & { value?: string | null }) {
  const { id, error, control, value: shown } = useField(field, value ?? "");
  const [local, setLocal] = useState("");
  useEffect(() => setLocal(shown ? localText(new Date(shown)) : ""), [shown]);
  const instant = local && !Number.isNaN(Date.parse(local)) ? new Date(local).toISOString() : "";
  return (
    <FieldShell {...field} id={id} error={error}>
      <input {...control} name={undefined} type="datetime-local" value={local} onChange={(event) => setLocal(event.target.value)} />
      <input type="hidden" name={field.name} value={instant} />
    </FieldShell>
  );
}

function localText(instant: Date): string {
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function Rating({ value, ...field }: FieldProps & { value?: number | null }) {
  const { id, error, control, value: shown } = useField(field, value ? String(value) : "");
  return (
    <fieldset className="field" aria-describedby={control["aria-describedby"]}>
      <legend>
        {field.label}
        {!field.required && <span className="optional">optional</span>}
      </legend>
      <span className="radios">
        {["1", "2", "3", "4", "5"].map((stars) => (
          <label key={stars} className="radio">
            <input type="radio" name={field.name} value={stars} defaultChecked={shown === stars} aria-invalid={control["aria-invalid"]} />
            {stars}
          </label>
        ))}
      </span>
      <FieldNotes id={id} help={field.help} error={error} />
    </fieldset>
  );
}

export function Tags({ value, help = "Separate them by commas.", ...field }: FieldProps & { value?: string[] }) {
  const { id, error, control, value: shown } = useField({ ...field, help }, (value ?? []).join(", "));
  return (
    <FieldShell {...field} help={help} id={id} error={error} wide>
      <input {...control} type="text" defaultValue={shown} autoComplete="off" />
    </FieldShell>
  );
}

/** Uploads at once and sends the name of the stored file with the form. */
export function Upload({ value, ...field }: FieldProps & { value?: FileInfo | null }) {
  const { id, error, control, value: shown } = useField(field, value?.name ?? "");
  const [stored, setStored] = useState(shown);
  const [message, setMessage] = useState("");
  const upload = async (file: File | undefined) => {
    if (!file) return;
    setMessage("Uploading…");
    const body = new FormData();
    body.set("file", file);
    const response = await fetch("/api/files", { method: "POST", body }).catch(() => null);
    const answer = await response?.json().catch(() => null);
    if (response?.ok) setStored(answer.name);
    setMessage(response?.ok ? "" : (answer?.fields?.file ?? "The file could not be uploaded."));
  };
  return (
    <FieldShell {...field} id={id} error={error} wide>
      <input {...control} name={undefined} required={undefined} type="file" onChange={(event) => upload(event.target.files?.[0])} />
      <input type="hidden" name={field.name} value={stored} />
      <p className="field-help" role="status">
        {message || (stored && stored.replace(/^[0-9a-f]{18}-/, ""))}
        {stored && !message && (
          <button type="button" className="link-button" onClick={() => setStored("")}>
            Remove
          </button>
        )}
      </p>
    </FieldShell>
  );
}
