// lib: a server of the binary under test, and a client of its API. Black box: nothing here knows the inside.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { recorded } from './record.mjs'

export const binary = process.env.PRAZIUM_BIN ?? new URL('../../build-test/src/prazium', import.meta.url).pathname

// The options of whoever runs the tests must not become those of the servers under test.
export const cleanEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('PRAZIUM_') && name !== 'NODE_TEST_CONTEXT'),
)

const temporary = process.env.TMPDIR ?? tmpdir()

const children = new Set()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

// A data directory. What npm fetched is kept over all of them, outside: each package is fetched once.
export async function temporaryFolder() {
  const data = await mkdtemp(join(temporary, 'prazium-flow-'))
  const cache = join(temporary, 'prazium-flow-cache')
  mkdirSync(cache, { recursive: true })
  assert.equal(lstatSync(cache).uid, process.getuid(), 'nobody else may fill the cache')
  symlinkSync(cache, join(data, 'cache'))
  return data
}

export class Server {
  constructor(data, args = []) {
    this.data = data
    this.args = args
    this.log = ''
  }

  static async start(options = {}) {
    const server = new Server(options.data ?? (await temporaryFolder()), options.args)
    await server.start()
    return server
  }

  async start() {
    const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', this.data, '--rate-limit', 'off', ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: cleanEnv,
    })
    children.add(child)
    this.child = child
    this.exited = once(child, 'exit').then(([code, signal]) => {
      children.delete(child)
      return { code, signal }
    })
    child.stderr.setEncoding('utf8').on('data', (text) => (this.log += text))
    const lines = createInterface({ input: child.stdout })
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => line),
      this.exited.then(({ code, signal }) => {
        throw new Error(`the server ended at start: ${code ?? signal}\n${this.log}`)
      }),
    ])
    // One that a failed test left behind does not keep the tests from ending.
    for (const handle of [child, child.stdout, child.stderr]) handle.unref()
    this.url = first
    this.key = (await readFile(join(this.data, 'admin.key'), 'utf8')).trim()
    return this
  }

  // SIGTERM, and how it ended; nothing else than a drain with exit code 0 is an end.
  async stop() {
    this.child.ref()
    this.child.kill('SIGTERM')
    const ended = await this.exited
    assert.deepEqual(ended, { code: 0, signal: null }, `the server ended badly\n${this.log.slice(-8000)}`)
    assert.doesNotMatch(this.log, /runtime error|AddressSanitizer|LeakSanitizer/, 'what the sanitizers found')
    return ended
  }

  async kill() {
    this.child.ref()
    this.child.kill('SIGKILL')
    return this.exited
  }

  async restart(args = this.args) {
    this.args = args
    return this.start()
  }

  async remove() {
    try {
      if (this.child.exitCode === null && this.child.signalCode === null) await this.stop()
    } finally {
      await rm(this.data, { recursive: true, force: true })
    }
  }

  async fetch(path, options = {}) {
    const headers = { authorization: `Bearer ${this.key}`, ...options.headers }
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name]
    return recorded(this.url + path, { redirect: 'manual', ...options, headers })
  }

  // {status, text, body, headers}: body is parsed JSON, or text. A string or bytes as body are sent as they are.
  async call(method, path, body, headers = {}) {
    const options = { method, headers: { ...headers } }
    if (body !== undefined) {
      options.body = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
      options.headers = { 'content-type': 'application/json', ...headers }
    }
    const response = await this.fetch('/v1' + path, options)
    const text = await response.text()
    let parsed = text
    if (text && /json/.test(response.headers.get('content-type') ?? '')) parsed = JSON.parse(text)
    return { status: response.status, text, body: parsed, headers: response.headers }
  }

  // The same server, asked with another key.
  as(key) {
    const other = Object.assign(Object.create(this), { key })
    other.get = (path) => other.answer('GET', path)
    other.post = (path, body) => other.answer('POST', path, body)
    return other
  }

  // The same server on behalf of a new account.
  async tenant(tier = 'enterprise', name = 'Tenant') {
    const account = await this.post('/admin/accounts', { name, tier })
    return Object.assign(this.as(account.apiKey.key), { account })
  }

  // The "data" of a call that must succeed.
  async answer(method, path, body) {
    const { status, body: answer } = await this.call(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(answer)}`)
    return answer.data
  }
  get = (path) => this.answer('GET', path)
  post = (path, body) => this.answer('POST', path, body)

  // Bytes to the server as they are, and all that comes back until it closes the connection.
  async raw(text) {
    const { hostname, port } = new URL(this.url)
    const socket = net.connect(Number(port), hostname)
    socket.on('error', () => {}) // it may be closed while we still write
    socket.setTimeout(20_000, () => socket.destroy())
    const chunks = []
    socket.on('data', (chunk) => chunks.push(chunk))
    const closed = once(socket, 'close')
    socket.write(text)
    await closed
    const [head, ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n')
    const [line, ...fields] = head.split('\r\n')
    const headers = new Headers()
    for (const field of fields) headers.append(field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim())
    const body = rest.join('\r\n\r\n')
    return { status: Number(line.split(' ')[1]), headers, text: body, body: body.startsWith('{') ? JSON.parse(body) : body }
  }

  async draft(description = projectTool, name = 'Flow') {
    return this.post('/projects', { name, description })
  }

  // A project whose spec waits for approval, the questions answered by their defaults.
  async plannedProject(description, name) {
    const project = await this.draft(description, name)
    const { questions } = await this.post(`/projects/${project.id}/clarify`)
    const { spec } = await this.post(`/projects/${project.id}/answers`, { answers: defaultAnswers(questions) })
    return { ...project, questions, spec }
  }

  async approvedProject(description, name) {
    const project = await this.plannedProject(description, name)
    await this.post(`/projects/${project.id}/approve`)
    return project
  }

  // All events of a run, by polling with the exact cursor.
  async events(project, run) {
    const all = []
    for (;;) {
      const after = all.length ? all[all.length - 1].sequence : 0
      const page = await this.get(`/projects/${project}/runs/${run}/events?limit=1000&afterSequence=${after}`)
      if (page.length === 0) return all
      all.push(...page)
    }
  }

  // Reads the event stream; onEvent's true ends it. Resolves at the stream's end.
  async stream(project, run, onEvent = () => false, lastEventId, query = '') {
    const aborter = new AbortController()
    const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }
    const path = `/v1/projects/${project}/runs/${run}/events/stream${query}`
    const response = await this.fetch(path, { headers, signal: aborter.signal })
    const seen = []
    const result = { status: response.status, seen, headers: response.headers, retry: undefined, text: '' }
    if (response.status !== 200) {
      result.text = await response.text()
      return result
    }
    let rest = ''
    try {
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        rest += chunk
        result.text += chunk
        const blocks = rest.split('\n\n')
        rest = blocks.pop()
        for (const block of blocks) {
          const event = {}
          for (const line of block.split('\n')) {
            const match = /^(id|event|data|retry): (.*)$/.exec(line)
            if (match) event[match[1]] = match[2]
          }
          if (event.retry !== undefined) result.retry = Number(event.retry)
          if (event.event === undefined) continue
          const parsed = { sequence: Number(event.id), type: event.event, data: JSON.parse(event.data) }
          seen.push(parsed)
          if (onEvent(parsed)) {
            aborter.abort()
            return result
          }
        }
      }
    } catch (error) {
      if (error.name !== 'AbortError' && !onEvent.mayBreak) throw error
    }
    return result
  }

  // Follows the stream to the first event of this type.
  async reached(project, run, type) {
    const { seen } = await this.stream(project, run, (event) => event.type === type)
    assert.equal(seen.at(-1)?.type, type, `${type} came before the end`)
    return seen.at(-1)
  }

  // Waits for the run's end by its stream, and answers the run.
  async finished(project, run) {
    await this.stream(project, run)
    return this.get(`/projects/${project}/runs/${run}`)
  }

  // Asks until `busy` is over; the server tells no other way. Bounded.
  async settled(path, busy, seconds = 240) {
    return until(`${path} is ${busy} no more`, seconds, async () => {
      const thing = await this.get(path)
      return thing.status !== busy && thing
    })
  }
}

// Asks until there is something, for what tells no other way. Bounded.
export async function until(what, seconds, ask) {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const found = await ask()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export function defaultAnswer(question) {
  if (question.default !== undefined) return question.default
  if (question.type === 'boolean') return false
  if (question.type === 'single_choice') return question.options[0]
  return question.type === 'multiple_choice' ? [question.options[0]] : 'Nothing special'
}

export function defaultAnswers(questions) {
  return questions.map((question) => ({ questionId: question.id, answer: defaultAnswer(question) }))
}

export const projectTool =
  'A project management tool with team collaboration features, task boards, and time tracking.'

// [1, 2, …, n]: neither hole nor double.
export function isDense(sequences) {
  return sequences.every((sequence, index) => sequence === index + 1)
}
