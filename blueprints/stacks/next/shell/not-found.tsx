import Link from "next/link";
import { Empty } from "@/components/ui";

export default function NotFound() {
  return (
    <Empty icon="search" title="There is nothing here">
      <p>What you are looking for does not exist, or not any more.</p>
      <Link className="button primary" href="/">
        To the dashboard
      </Link>
    </Empty>
  );
}
