"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";

interface Props {
  id: number;
  name: string;
  role: string;
  roles: { value: string; label: string }[];
}

export function RoleSelect({ id, name, role, roles }: Props) {
  const router = useRouter();
  const [value, setValue] = useState(role);
  const [error, setError] = useState("");

  const change = async (next: string) => {
    setValue(next);
    setError("");
    const body = JSON.stringify({ role: next });
    const response = await fetch(`/api/users/${id}`, { method: "PATCH", headers: { "content-type": "application/json" }, body }).catch(() => null);
    if (!response?.ok) {
      const answer = await response?.json().catch(() => null);
      setValue(role);
      setError(answer?.fields?.role ?? "The role could not be changed.");
    }
    router.refresh();
  };

  return (
    <>
      <select aria-label={`Role of ${name}`} value={value} onChange={(event) => change(event.target.value)}>
        {roles.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {error && (
        <p className="field-error" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
