import { readStoredFile } from "@/db/files";
import { notFoundFault } from "@/lib/faults";
import { route } from "@/server/api";

// Only what a browser shows without running it is shown; everything else is downloaded.
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif)|application\/pdf|text\/plain)$/;

export const GET = route("read", async ({ param }) => {
  const stored = await readStoredFile(param("name"));
  if (!stored) throw notFoundFault();
  const isShown = SHOWN.test(stored.info.type);
  return new Response(new Uint8Array(stored.bytes), {
    headers: {
      "content-type": isShown ? stored.info.type : "application/octet-stream",
      "content-disposition": isShown ? "inline" : "attachment",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, max-age=31536000, immutable",
    },
  });
});
