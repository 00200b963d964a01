// record: with PRAZIUM_EXCHANGES, the exchanges of the flow tests go into a file a process in that folder, a line of JSON each.
// tests/contract/replay.mjs holds them against the OpenAPI document. Who asks until something is there says the same again
// and again: of exchanges that differ in nothing that matters one is kept.
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = process.env.PRAZIUM_EXCHANGES
const largest = 1 << 20 // bytes of a body; an exchange with more is counted, and left out
const file = folder && join(folder, `${basename(process.argv[1] ?? 'node')}-${process.pid}.jsonl`)
if (folder) mkdirSync(folder, { recursive: true })

// What differs from one time to the next says nothing new.
function general(text) {
  return text
    .replace(/\b([a-z]{2,8})_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, '$1_')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
    .replace(/\b(req_)?[0-9a-f]{16,64}\b/g, 'H')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, 'U')
    .replace(/prazium-flow-\w+/g, 'F')
    .replace(/127\.0\.0\.1:\d+/g, 'A')
    .replace(/"(durationMs|sizeBytes|size|sequence|total|runNumber)":\d+/g, '"$1":0')
}

// The kinds of exchanges that were there, this one included from now on; false for one that was.
export function isNew(seen, { method, url, headers, body, status, answerHeaders, answer }) {
  const kind = [method, url, Object.keys(headers), body, status, answerHeaders.map(([name]) => name), answer]
  const key = createHash('sha256').update(general(JSON.stringify(kind))).digest('hex')
  return !seen.has(key) && Boolean(seen.add(key))
}

const seen = new Set()

const base64 = (bytes) => Buffer.from(bytes).toString('base64')

// What came of the body, also when the test went away in the middle; undefined when it is too large.
async function bodyOf(response) {
  const chunks = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > largest) return undefined
    }
  } catch {
    return { data: Buffer.concat(chunks), isCut: true }
  }
  return { data: Buffer.concat(chunks), isCut: false }
}

// An exchange that cannot be kept as it was: only that it took place.
export function tell(method, url, status) {
  if (folder) appendFileSync(file, JSON.stringify({ left: url, method, status }) + '\n')
}

async function keep(url, options, response) {
  const { pathname, search } = new URL(url)
  const request = options.body ?? ''
  const entry = { method: options.method ?? 'GET', url: pathname + search, headers: options.headers ?? {}, status: response.status }
  const answer = await bodyOf(response)
  const isSent = typeof request === 'string' || request instanceof Uint8Array
  if (!answer || !isSent || request.length > largest) tell(entry.method, entry.url, entry.status)
  else {
    const answered = { answerHeaders: [...response.headers], isCut: answer.isCut }
    if (isNew(seen, { ...entry, ...answered, body: Buffer.from(request).toString(), answer: answer.data.toString() }))
      appendFileSync(file, JSON.stringify({ ...entry, body: base64(request), ...answered, answer: base64(answer.data) }) + '\n')
  }
}

// As fetch. Bodies are read beside the test, which must not notice; where it would, it calls fetch itself.
export async function recorded(url, options) {
  const response = await fetch(url, options)
  if (folder) keep(url, options, response.clone()).catch((error) => process.stderr.write(`record: ${error.stack}\n`))
  return response
}
