import type { Metadata } from "next";
import { listTokens } from "@/auth/tokens";
import { PageHeader } from "@/components/ui";
import { requireUser } from "@/server/access";
import { Tokens } from "./tokens";

export const metadata: Metadata = { title: "API tokens" };

export default async function TokensPage() {
  const user = await requireUser("/settings/tokens");
  return (
    <>
      <PageHeader title="API tokens" back={{ href: "/settings", label: "Settings" }} summary="A token lets a program read and write as you. Send it as “Authorization: Bearer …”." />
      <Tokens tokens={await listTokens(user)} />
    </>
  );
}
