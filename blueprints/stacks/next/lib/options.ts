// Choices as the forms and badges show them.

export type Tone = "neutral" | "info" | "success" | "warning" | "danger";

export interface Option {
  value: string;
  label: string;
  tone: Tone;
}

/** Another row, as something to choose. */
export interface RecordOption {
  id: number;
  label: string;
}

export function optionOf(options: readonly Option[], value: string | null): Option | undefined {
  return options.find((option) => option.value === value);
}

export const labelOf = (options: readonly Option[], value: string | null): string => optionOf(options, value)?.label ?? "";

/** A stored file as a row describes it. */
export interface FileInfo {
  name: string;
  size: number;
  type: string;
  href: string;
}
