// reading_list: a model that plans and writes a small app: a list of books, in app/reading-list. What it says is meant: the
// app installs, type-checks, builds, passes its tests, and does what the criteria ask of it over HTTP.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { calls, proof, route, step } from './planned.mjs'

export const description = 'A reading list: books with title and author, added, marked as read and removed.'

const root = new URL('app/reading-list/', import.meta.url).pathname
// Every file of the app: {path: text}.
export const files = Object.fromEntries(
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => [relative(root, path), readFileSync(path, 'utf8')]),
)

export const questions = [
  { question: 'Who may change the list?', type: 'single_choice', options: ['Whoever reaches it', 'One person'], default: ['Whoever reaches it'] },
  { question: 'Is a new book unread?', type: 'boolean', options: [], default: ['true'] },
  { question: 'What is the list called?', type: 'text', options: [], default: ['Reading list'] },
]

const emma = { title: 'Emma', author: 'Jane Austen' }
const one = '/api/books/[id]'

export const criteria = [
  {
    id: 'AC-1', title: 'A book is added', statement: 'Given an empty list, when a book is added, then it is listed as unread.',
    check: proof('http', [
      step('The app is well', 'GET', '/api/health', 200, { json: { status: 'ok' } }),
      step('Nothing is there', 'GET', '/api/books', 200, { json: { total: 0 } }),
      step('Added', 'POST', '/api/books', 201, { body: emma, json: { ...emma, isRead: false }, save: { book: 'id' } }),
      step('Listed', 'GET', '/api/books', 200, { json: { total: 1, 'items.0.title': 'Emma' } }),
    ]),
  },
  {
    id: 'AC-2', title: 'A book needs a title', statement: 'When a book without a title is added, then it is refused at the field, and nothing is added.',
    check: proof('http', [
      step('Refused', 'POST', '/api/books', 400, { body: { author: 'Nobody' }, json: { error: 'validation', 'fields.title': 'Title is required' } }),
      step('Still one', 'GET', '/api/books', 200, { json: { total: 1 } }),
    ]),
  },
  {
    id: 'AC-3', title: 'A book is marked as read', statement: 'When a book is marked as read, then it says so, and keeps its title.',
    check: proof('http', [
      step('Marked', 'PATCH', '/api/books/${book}', 200, { body: { isRead: true }, json: { isRead: true, title: 'Emma' }, route: one }),
      step('It is kept', 'GET', '/api/books/${book}', 200, { json: { isRead: true }, route: one }),
    ]),
  },
  {
    id: 'AC-4', title: 'The page shows the books', statement: 'When somebody opens the app, then every book is there.',
    check: proof('http', [step('Shown', 'GET', '/', 200, { contains: ['Emma', 'Jane Austen', '(read)'], absent: ['No books yet'] })]),
  },
  {
    id: 'AC-5', title: 'A book is removed', statement: 'When a book is removed, then it is not found any more.',
    check: proof('http', [
      step('Removed', 'DELETE', '/api/books/${book}', 204, { route: one }),
      step('Gone', 'GET', '/api/books/${book}', 404, { json: { error: 'not_found' }, route: one }),
    ]),
  },
  { id: 'AC-6', title: 'The rules have tests', statement: 'When the tests of the app are run, then they pass.', check: proof('tests') },
]

const spec = {
  tagline: 'Books to read, and which of them are read',
  spec: 'A reading list holds books. Whoever reaches the app may add a book by its title and its author, mark it as read, and remove it. A new book is unread.\n\nThe page shows all books, the newest first, and says which of them are read.',
  data: 'A **book** has a title and an author, both required and of at most 200 characters, and `isRead`, which is false for a new one. Its id is a number that grows.',
  routes: [
    route('GET', '/', 'All books', 'page'),
    route('GET', '/api/health', 'Whether the app is well'),
    route('GET', '/api/books', 'All books, the newest first'),
    route('POST', '/api/books', 'Adds a book'),
    route('GET', one, 'One book'),
    route('PATCH', one, 'Changes a book'),
    route('DELETE', one, 'Removes a book'),
  ],
  setup: [],
  criteria,
  openPoints: ['There are no accounts: everybody sees the same list.'],
}

const under = (prefix) => Object.keys(files).filter((path) => path.startsWith(prefix))
const foundation = Object.keys(files).filter((path) => !path.startsWith('src/app/') && !path.startsWith('tests/') && path !== 'README.md')
export const tasks = [
  {
    slug: 'foundation', description: 'Set-up, the rules of books and their table', dependencies: [], criteria: [], pathScope: foundation, expectedOutputs: foundation,
    instructions: 'Set the project up, and write src/lib/book.ts with the rules of books, src/lib/answers.ts, and src/db/books.ts with the table.',
  },
  {
    slug: 'api', description: 'The routes of the API', dependencies: ['foundation'], criteria: ['AC-1', 'AC-2', 'AC-3', 'AC-5'],
    pathScope: ['src/app/api/**'], expectedOutputs: under('src/app/api/'),
    instructions: 'Write the routes of the API on top of src/db/books.ts: health, all books, one book. Faults answer as src/lib/answers.ts has it.',
  },
  {
    slug: 'pages', description: 'The page of all books', dependencies: ['foundation'], criteria: ['AC-4'],
    pathScope: ['src/app/*.tsx'], expectedOutputs: ['src/app/layout.tsx', 'src/app/page.tsx'],
    instructions: 'Write the frame of the app and its one page, which lists all books and says which of them are read.',
  },
  {
    slug: 'tests', description: 'Tests and README', dependencies: ['foundation'], criteria: ['AC-6'], pathScope: ['tests/**', 'README.md'],
    expectedOutputs: ['README.md', 'tests/book.test.ts'],
    instructions: 'Write tests of the rules in src/lib/book.ts, and a README that says how the app is built and started.',
  },
]

const reads = { api: ['src/db/books.ts', 'src/lib/answers.ts'], pages: ['src/db/books.ts'], tests: ['src/lib/book.ts'], foundation: [] }

// What the model does in a task, answer by answer: it reads what it builds on, writes, looks at it, and ends.
function work({ slug, expectedOutputs }) {
  const turns = [
    { toolCalls: expectedOutputs.map((path) => ['write_file', { path, content: files[path] }]) },
    { text: 'That is everything; a last look.', toolCalls: [['run_command', { command: `wc -l ${slug === 'api' ? 'src/app/api/books/route.ts' : expectedOutputs[0]}` }]] },
    { toolCalls: [['finish', { summary: `Wrote ${expectedOutputs.length} files.` }]] },
  ]
  if (reads[slug].length) turns.unshift({ text: 'I look at what is there.', toolCalls: reads[slug].map((path) => ['read_file', { path }]) })
  return turns.map(({ text, toolCalls }, turn) => ({ text, toolCalls: calls(turn, toolCalls) }))
}

export const readingList = { questions, spec, tasks, work }
