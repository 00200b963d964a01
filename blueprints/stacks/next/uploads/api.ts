import { MAX_FILE_BYTES, storeFile } from "@/db/files";
import { RequestFault, ValidationFault } from "@/lib/faults";
import { json, route } from "@/server/api";

// What a multipart body adds around its file.
const ENVELOPE_BYTES = 64 * 1024;

export const POST = route("write", async ({ request }) => {
  if (Number(request.headers.get("content-length")) > MAX_FILE_BYTES + ENVELOPE_BYTES) throw new RequestFault(413, "too_large");
  const form = await request.formData().catch(() => null);
  const file = form?.get("file");
  if (!file || typeof file === "string") throw new ValidationFault({ file: "File is required" });
  return json(await storeFile(file), 201);
});
