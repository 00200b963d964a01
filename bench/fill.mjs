// fill DATABASE KIND COUNT: projects for a search, in one transaction: into a database of prazium or of peer.mjs. The same each time.
import { DatabaseSync } from 'node:sqlite'

const [path, kind, count] = process.argv.slice(2)
const db = new DatabaseSync(path)

// Words are as frequent as in a language: the n-th is n times as rare as the first.
const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'ki', 'lo', 'me', 'nu', 'pa', 're', 'si', 'to', 'vu', 'wa']
const word = (n) => syllables[n % 16] + syllables[(n >> 4) % 16] + syllables[(n >> 8) % 16] + (n >> 12 ? syllables[n >> 12] : '')
let state = 42
const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
const words = (number) => Array.from({ length: number }, () => word(Math.floor(20000 ** random()))).join(' ')

const inserts = {
  prazium: `INSERT INTO project (id, account_id, name, description, state, spec_version, created_ms, updated_ms)
    VALUES (?, (SELECT id FROM account), ?, ?, 'draft', 0, 1, 1)`,
  peer: `INSERT INTO project VALUES (?, 'acct_peer', ?, ?, 'draft', '', '', '')`,
}
const insert = db.prepare(inserts[kind])
db.exec('BEGIN')
for (let i = 0; i < Number(count); i++) {
  // One in two is a board; one in 5,000 is about quinces.
  const description = `${words(20)}${i % 2 ? ' board' : ''}${i % 5000 ? '' : ' quinces'}`
  insert.run(`proj_${String(i).padStart(26, '0')}`, words(3), description)
}
if (kind === 'peer') db.exec(`INSERT INTO project_text (project_text) VALUES ('rebuild')`)
db.exec('COMMIT')
