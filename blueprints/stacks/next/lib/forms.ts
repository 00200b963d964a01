// What a form gets back when it could not be saved.

import type { Texts } from "./texts";

export interface FormState {
  errors: Record<string, string>;
  /** What was typed, for a page that was loaded anew. */
  texts?: Texts;
  message?: string;
}

export type FormAction = (state: FormState, form: FormData) => Promise<FormState>;

/** Notices that a page shows once, by the `notice` of its address. */
export const notices: Record<string, string> = {
  created: "Created",
  saved: "Changes saved",
  deleted: "Deleted",
};
