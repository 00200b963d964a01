import type { Metadata } from "next";
import { canManage, listUsers, roles } from "@/auth/users";
import { Empty, PageHeader } from "@/components/ui";
import { plural } from "@/lib/format";
import { requireUser } from "@/server/access";
import { RoleSelect } from "./role-select";

export const metadata: Metadata = { title: "Users" };

export default async function UsersPage() {
  const viewer = await requireUser("/settings/users");
  const back = { href: "/settings", label: "Settings" };
  if (!canManage(viewer)) {
    return (
      <>
        <PageHeader title="Users" back={back} />
        <div className="card">
          <Empty icon="settings" title="Only for admins">
            <p>Ask an admin to change what people may do.</p>
          </Empty>
        </div>
      </>
    );
  }
  const users = await listUsers();
  return (
    <>
      <PageHeader title="Users" back={back} summary={plural(users.length, "person", "people")} />
      <div className="card table-card">
        <table className="rows-table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Email</th>
              <th scope="col">Role</th>
            </tr>
          </thead>
          <tbody>
            {users.map((user) => (
              <tr key={user.id}>
                <td className="title">
                  {user.name}
                  {user.id === viewer.id && <span className="badge">You</span>}
                </td>
                <td data-label="Email">{user.email}</td>
                <td data-label="Role">
                  <RoleSelect id={user.id} name={user.name} role={user.role} roles={roles.map(({ value, label }) => ({ value, label }))} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
