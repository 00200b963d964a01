"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";
import { notices } from "@/lib/forms";
import { Icon } from "./icon";

const SHOWN_MS = 4000;

/** Says what has just been done, as the address has it, and takes it out of the address. */
export function Toast() {
  const path = usePathname();
  const params = useSearchParams();
  const notice = params.get("notice");
  const [message, setMessage] = useState<string | null>(null);

  useEffect(() => {
    if (!notice || !Object.hasOwn(notices, notice)) return;
    setMessage(notices[notice]);
    const rest = new URLSearchParams(params);
    rest.delete("notice");
    window.history.replaceState(null, "", rest.size > 0 ? `${path}?${rest}` : path);
  }, [notice, params, path]);

  useEffect(() => {
    if (!message) return;
    const timer = setTimeout(() => setMessage(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message]);

  return (
    <div className="toasts" role="status">
      {message && (
        <p className="toast">
          <Icon name="check" />
          {message}
        </p>
      )}
    </div>
  );
}
