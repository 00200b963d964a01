import { deleteToken } from "@/auth/tokens";
import { noContent, route } from "@/server/api";

export const DELETE = route("own", async ({ id, user }) => {
  await deleteToken(id(), user);
  return noContent();
});
