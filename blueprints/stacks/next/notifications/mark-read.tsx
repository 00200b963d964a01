"use client";

import { useRouter } from "next/navigation";

export function MarkRead() {
  const router = useRouter();
  const mark = async () => {
    await fetch("/api/notifications/read", { method: "POST" });
    router.refresh();
  };
  return (
    <button type="button" className="button" onClick={mark}>
      Mark all as read
    </button>
  );
}
