// replay FOLDER: sends what the flow tests recorded there through Prism's validation proxy, in front of an upstream that gives the
// recorded answers, and fails when an answer is not as the document says, or when a request was accepted that it forbids.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isNew } from '../flow/record.mjs'
import { closeAnswers, operationsOf, printedDocument, templateOf } from './document.mjs'

const atOnce = 8
const patience = 30_000 // ms for Prism to begin to listen, and for each answer
const shown = 40 // violations that are printed

const document = closeAnswers(printedDocument())
const left = new Map() // why → how many exchanges were left out

function leave(why) {
  left.set(why, (left.get(why) ?? 0) + 1)
}

function recordsOf(folder) {
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean).map((line) => [name.split('-')[0], line]))
  return lines.map(([test, line]) => ({ test, ...JSON.parse(line) }))
}

const parsed = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const headerOf = (entry, name) => entry.answerHeaders.find(([key]) => key === name)?.[1]

// The errors that no operation can have documented: every one is in the envelope all the same.
function checkUndocumented(entry, faults) {
  const { success, error } = parsed(entry.answer) ?? {}
  const isEnvelope = success === false && typeof error?.code === 'string' && typeof error.message === 'string' && typeof error.details?.requestId === 'string'
  if (!isEnvelope || entry.status < 400) faults.push({ entry, what: 'neither documented nor an error in the envelope' })
}

// The exchanges that Prism can judge, each kind once.
function chosen(records, faults) {
  const seen = new Set()
  const entries = []
  for (const entry of records) {
    if (entry.left) {
      leave('bodies over 1 MiB, or streamed')
      continue
    }
    entry.body = Buffer.from(entry.body, 'base64')
    entry.bytes = Buffer.from(entry.answer, 'base64')
    entry.answer = entry.bytes.toString()
    const [pathname, search = ''] = entry.url.split(/(?=\?)/)
    const found = templateOf(document, pathname)
    const operation = found && document.paths[found.template][entry.method.toLowerCase()]
    if (['HEAD', 'OPTIONS'].includes(entry.method)) leave('HEAD and OPTIONS, which go without saying')
    else if (entry.status === 101) leave('WebSockets, which Prism cannot speak')
    else if (!operation) {
      checkUndocumented(entry, faults)
      leave('paths and methods that are not documented, answered by an error')
    } else if (entry.method === 'GET' && entry.body.length > 0) leave('GET with a body, which Prism does not forward')
    else {
      if (isNew(seen, { ...entry, body: entry.body.toString() })) entries.push({ ...entry, path: found.path + search, template: found.template, operation })
    }
  }
  return entries
}

function startUpstream(entries) {
  const server = http.createServer((request, response) => {
    const entry = entries[Number(request.headers['x-exchange'])]
    request.resume()
    if (!entry) return response.writeHead(404).end() // the question whether Prism is there
    for (const [name, value] of entry.answerHeaders)
      if (!['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date'].includes(name)) response.setHeader(name, value)
    response.statusCode = entry.status
    response.end(entry.bytes)
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

async function freePort() {
  const server = http.createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startPrism(folder, upstream) {
  const file = join(folder, 'openapi.json')
  writeFileSync(file, JSON.stringify(document))
  const port = await freePort()
  const program = new URL('node_modules/@stoplight/prism-cli/dist/index.js', import.meta.url).pathname
  const child = spawn(process.execPath, [program, 'proxy', file, `http://127.0.0.1:${upstream}`, '--port', String(port), '--host', '127.0.0.1', '--verboseLevel', 'fatal'], { stdio: ['ignore', 'ignore', 'inherit'] })
  const deadline = Date.now() + patience
  while (!(await isListening(port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('Prism did not start')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { child, port }
}

function isListening(port) {
  return new Promise((resolve) => {
    const socket = http.get({ port, host: '127.0.0.1', path: '/', timeout: patience }, (response) => (response.resume(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
}

// Prism answers a body that it cannot parse by itself. Where the server had refused the request, another body will do: only the
// answer is judged.
function bodyToSend(entry) {
  const isObject = parsed(entry.body.toString())?.constructor === Object
  return entry.status < 300 || isObject || entry.body.length === 0 ? entry.body : Buffer.from('{}')
}

const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce })

async function violationsOf(port, entry, index) {
  const body = bodyToSend(entry)
  const headers = { ...entry.headers, 'x-exchange': String(index), ...(body.length ? { 'content-length': body.length } : {}) }
  const request = http.request({ agent, port, host: '127.0.0.1', method: entry.method, path: entry.path, headers, maxHeaderSize: 1 << 16, timeout: patience })
  request.on('timeout', () => request.destroy(new Error('Prism did not answer')))
  request.end(body)
  const [response] = await once(request, 'response')
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== entry.status) return [{ location: ['prism'], message: `answered ${response.statusCode} by itself` }]
  const text = response.headers['sl-violations'] ?? '[]'
  return parsed(text) ?? [{ location: ['response'], message: text }]
}

// The recorded answer is judged always; the request where the server took it.
function isFault(entry, { location }) {
  return location[0] !== 'request' || (entry.status >= 200 && entry.status < 300)
}

async function replay(entries, port, faults) {
  const waiting = entries.map((entry, index) => ({ entry, index }))
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { entry, index } = next
      const violations = await violationsOf(port, entry, index)
      for (const violation of violations.filter((one) => isFault(entry, one))) faults.push({ entry, what: `${violation.location.join('.')}: ${violation.message}` })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

function report(faults) {
  const groups = new Map()
  for (const { entry, what } of faults) {
    const title = `${entry.method} ${entry.template ?? entry.url} → ${entry.status}: ${what.replace(/\.\d+(?=[.:])/g, '.*')}`
    groups.set(title, [...(groups.get(title) ?? []), entry])
  }
  for (const [title, entries] of [...groups].slice(0, shown)) {
    const [{ test, url, body, answer }] = entries
    console.log(`✗ ${title}\n    ${entries.length} times; first in ${test}: ${url}`)
    if (body.length) console.log(`    sent      ${body.toString().slice(0, 300)}`)
    console.log(`    answered  ${answer.slice(0, 300)}`)
  }
  if (groups.size > shown) console.log(`and ${groups.size - shown} more`)
}

// What cannot be brought about from outside: a fault of ours, and a server that is overwhelmed or ending; and what is no status.
const unprovoked = ['500', '503', 'default']

// The answers that the document knows, and no flow test gave.
function missingAnswers(records) {
  const seen = new Set()
  for (const { method, url, left: leftUrl, status } of records) {
    const found = templateOf(document, (url ?? leftUrl).split('?')[0])
    const operation = found && document.paths[found.template][method.toLowerCase()]
    if (operation) seen.add(`${operation.operationId} ${status}`)
  }
  return operationsOf(document)
    .flatMap(({ operation }) => Object.keys(operation.responses).filter((status) => !unprovoked.includes(status)).map((status) => `${operation.operationId} ${status}`))
    .filter((answer) => !seen.has(answer))
}

async function main(folder) {
  const began = Date.now()
  const faults = []
  const records = recordsOf(folder)
  const entries = chosen(records, faults)
  const temporary = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-replay-'))
  const upstream = await startUpstream(entries)
  let prism
  try {
    prism = await startPrism(temporary, upstream.address().port)
    await replay(entries, prism.port, faults)
  } finally {
    prism?.child.kill()
    agent.destroy()
    upstream.close()
    upstream.closeAllConnections()
    rmSync(temporary, { recursive: true })
  }
  const missing = missingAnswers(records)
  report(faults)
  for (const answer of missing) console.log(`✗ documented, and given in no flow test: ${answer}`)
  for (const [why, count] of left) console.log(`left out: ${count} × ${why}`)
  console.log(`${records.length} exchanges, ${entries.length} of them different, ${faults.length} violations, ${missing.length} answers never given, ${Math.round((Date.now() - began) / 1000)} s`)
  return faults.length === 0 && missing.length === 0 && entries.length > 0 ? 0 : 1
}

process.exitCode = await main(process.argv[2])
