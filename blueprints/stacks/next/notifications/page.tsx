import type { Metadata } from "next";
import Link from "next/link";
import { LocalTime } from "@/components/local-time";
import { Empty, PageHeader } from "@/components/ui";
import { listNotifications } from "@/db/notifications";
import { requireUser } from "@/server/access";
import { MarkRead } from "./mark-read";

export const metadata: Metadata = { title: "Notifications" };

export default async function NotificationsPage() {
  const user = await requireUser("/notifications");
  const items = await listNotifications(user);
  const unread = items.filter((item) => !item.readAt).length;
  return (
    <>
      <PageHeader title="Notifications" summary={unread === 0 ? "You have seen everything." : `${unread} unread`}>
        {unread > 0 && <MarkRead />}
      </PageHeader>
      <div className="card">
        {items.length === 0 ? (
          <Empty icon="notifications" title="Nothing new">
            <p>When somebody adds something or assigns it to you, you see it here.</p>
          </Empty>
        ) : (
          <ul className="rows">
            {items.map((item) => (
              <li key={item.id}>
                <Link href={item.href} className={item.readAt ? "row-link" : "row-link is-unread"}>
                  <span className="row-title">
                    {!item.readAt && <span className="visually-hidden">Unread: </span>}
                    {item.message}
                  </span>
                  <span className="muted">
                    <LocalTime value={item.createdAt} />
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
