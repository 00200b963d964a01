// record: with PRAZIUM_RECORD, every exchange of the flow tests goes into a file a process in that folder, a line of JSON each.
// tests/contract/replay.mjs holds them against the OpenAPI document.
import { appendFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'

const folder = process.env.PRAZIUM_RECORD
const largest = 1 << 20 // bytes of a body; an exchange with more is counted, and left out
const file = folder && join(folder, `${basename(process.argv[1] ?? 'node')}-${process.pid}.jsonl`)
if (folder) mkdirSync(folder, { recursive: true })

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
    const answered = { answerHeaders: [...response.headers], answer: base64(answer.data), isCut: answer.isCut }
    appendFileSync(file, JSON.stringify({ ...entry, body: base64(request), ...answered }) + '\n')
  }
}

// As fetch. Bodies are read beside the test, which must not notice; where it would, it calls fetch itself.
export async function recorded(url, options) {
  const response = await fetch(url, options)
  if (folder) keep(url, options, response.clone()).catch((error) => process.stderr.write(`record: ${error.stack}\n`))
  return response
}
