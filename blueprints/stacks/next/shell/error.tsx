"use client";

import { Empty } from "@/components/ui";

export default function ErrorPage({ reset }: { error: Error; reset: () => void }) {
  return (
    <Empty icon="close" title="That did not work">
      <p>Something went wrong on our side. Your data is safe.</p>
      <button type="button" className="button primary" onClick={reset}>
        Try again
      </button>
    </Empty>
  );
}
