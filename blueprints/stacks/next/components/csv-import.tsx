"use client";

import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import { Icon } from "./icon";

interface Answer {
  created: number;
  errors: { row: number; message: string }[];
}

/** Adds the rows of a CSV file and says which ones did not fit. */
export function CsvImport({ path }: { path: string }) {
  const router = useRouter();
  const dialog = useRef<HTMLDialogElement>(null);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [isBusy, setBusy] = useState(false);

  const send = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (!file) return;
    setBusy(true);
    const response = await fetch(path, { method: "POST", headers: { "content-type": "text/csv" }, body: await file.text() }).catch(() => null);
    const read = response?.ok ? ((await response.json()) as Answer) : { created: 0, errors: [{ row: 0, message: "The file could not be read." }] };
    setAnswer(read);
    setBusy(false);
    input.value = "";
    dialog.current?.showModal();
    router.refresh();
  };

  return (
    <>
      <label className="button" aria-busy={isBusy}>
        <Icon name="upload" />
        {isBusy ? "Importing…" : "Import"}
        <input className="visually-hidden" type="file" accept=".csv,text/csv" onChange={(event) => send(event.currentTarget)} />
      </label>
      <dialog ref={dialog} className="dialog" aria-labelledby="import-title">
        <h2 id="import-title">{answer?.created === 1 ? "1 row imported" : `${answer?.created ?? 0} rows imported`}</h2>
        {answer && answer.errors.length > 0 && (
          <ul className="import-errors">
            {answer.errors.slice(0, 20).map((error, at) => (
              <li key={at}>
                {error.row > 0 && <strong>Row {error.row}: </strong>}
                {error.message}
              </li>
            ))}
          </ul>
        )}
        <div className="form-actions">
          <button type="button" className="button primary" onClick={() => dialog.current?.close()}>
            Done
          </button>
        </div>
      </dialog>
    </>
  );
}
