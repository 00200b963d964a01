import { listBooks } from "@/db/books";

export const dynamic = "force-dynamic";

export default async function Home() {
  const books = await listBooks();
  return (
    <main>
      <h1>Reading list</h1>
      {books.length === 0 && <p>No books yet.</p>}
      <ul>
        {books.map((book) => (
          <li key={book.id}>
            {book.title} by {book.author}
            {book.isRead ? " (read)" : ""}
          </li>
        ))}
      </ul>
    </main>
  );
}
