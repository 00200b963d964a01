// The server's side of a form: carries out what was submitted and hands the faults back to it.

import { redirect } from "next/navigation";
import { RequestFault, ValidationFault } from "@/lib/faults";
import type { FormState } from "@/lib/forms";
import type { Texts } from "@/lib/texts";

/** `save` returns where to go; what was typed is kept when a field is refused. */
export async function submitForm(form: FormData, save: (texts: Texts) => Promise<string>): Promise<FormState> {
  const texts: Texts = {};
  for (const [name, value] of form.entries()) {
    if (typeof value === "string" && !name.startsWith("$")) texts[name] = value;
  }
  let target: string;
  try {
    target = await save(texts);
  } catch (error) {
    if (error instanceof ValidationFault) return { errors: error.fields, texts };
    if (error instanceof RequestFault && error.code === "not_found") return { errors: {}, texts, message: "This no longer exists." };
    throw error;
  }
  redirect(target);
}
