"use client";

import { Icon } from "./icon";

/** Light or dark; until it is used, the system decides. */
export function ThemeToggle() {
  const toggle = () => {
    const root = document.documentElement;
    const shown = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = shown === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  };
  return (
    <button type="button" className="icon-button theme-toggle" aria-label="Switch between light and dark" title="Light or dark" onClick={toggle}>
      <Icon name="light" />
      <Icon name="dark" />
    </button>
  );
}
