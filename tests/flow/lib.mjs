// lib: a server of the binary under test, and a client of its API. Black box: nothing here knows the inside.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const binary = process.env.PRAZIUM_BIN ?? new URL('../../build-test/src/prazium', import.meta.url).pathname

// Kept over the tests of one file, so that npm fetches each package once.
export const sharedCache = process.env.PRAZIUM_TEST_CACHE

const children = new Set()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export async function temporaryFolder() {
  return mkdtemp(join(process.env.TMPDIR ?? tmpdir(), 'prazium-flow-'))
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
    const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', this.data, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
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
    this.url = first
    this.key = (await readFile(join(this.data, 'admin.key'), 'utf8')).trim()
    return this
  }

  // SIGTERM, and the exit code 0 that belongs to it.
  async stop() {
    this.child.kill('SIGTERM')
    return this.exited
  }

  async kill() {
    this.child.kill('SIGKILL')
    return this.exited
  }

  async restart() {
    return this.start()
  }

  async remove() {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop()
    await rm(this.data, { recursive: true, force: true })
  }

  async fetch(path, options = {}) {
    const headers = { authorization: `Bearer ${this.key}`, ...options.headers }
    for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name]
    return fetch(this.url + path, { redirect: 'manual', ...options, headers })
  }

  // {status, body, headers}: body is parsed JSON, or text.
  async call(method, path, body, headers = {}) {
    const options = { method, headers: { ...headers } }
    if (body !== undefined) {
      options.body = typeof body === 'string' ? body : JSON.stringify(body)
      options.headers = { 'content-type': 'application/json', ...headers }
    }
    const response = await this.fetch('/v1' + path, options)
    const text = await response.text()
    let parsed = text
    if (/json/.test(response.headers.get('content-type') ?? '')) parsed = JSON.parse(text)
    return { status: response.status, body: parsed, headers: response.headers }
  }

  // The "data" of a call that must succeed.
  async answer(method, path, body) {
    const { status, body: answer } = await this.call(method, path, body)
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(answer)}`)
    return answer.data
  }
  get = (path) => this.answer('GET', path)
  post = (path, body) => this.answer('POST', path, body)

  // A project with an approved spec, the questions answered by their defaults.
  async approvedProject(description, name = 'Flow') {
    const project = await this.post('/projects', { name, description })
    const { questions } = await this.post(`/projects/${project.id}/clarify`)
    await this.post(`/projects/${project.id}/answers`, { answers: defaultAnswers(questions) })
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
  async stream(project, run, onEvent = () => false, lastEventId) {
    const aborter = new AbortController()
    const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }
    const response = await this.fetch(`/v1/projects/${project}/runs/${run}/events/stream`, { headers, signal: aborter.signal })
    const seen = []
    if (response.status !== 200) return { status: response.status, seen, headers: response.headers }
    let rest = ''
    try {
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        rest += chunk
        const blocks = rest.split('\n\n')
        rest = blocks.pop()
        for (const block of blocks) {
          const event = {}
          for (const line of block.split('\n')) {
            const match = /^(id|event|data|retry): (.*)$/.exec(line)
            if (match) event[match[1]] = match[2]
          }
          if (event.event === undefined) continue
          const parsed = { sequence: Number(event.id), type: event.event, data: JSON.parse(event.data) }
          seen.push(parsed)
          if (onEvent(parsed)) {
            aborter.abort()
            return { status: 200, seen, headers: response.headers }
          }
        }
      }
    } catch (error) {
      if (error.name !== 'AbortError' && !onEvent.mayBreak) throw error
    }
    return { status: 200, seen, headers: response.headers }
  }

  // Waits for the run's end by its stream, and answers the run.
  async finished(project, run) {
    await this.stream(project, run)
    return this.get(`/projects/${project}/runs/${run}`)
  }

  // Asks until `busy` is over; the server tells no other way. Bounded.
  async settled(path, busy, seconds = 240) {
    const deadline = Date.now() + seconds * 1000
    for (;;) {
      const thing = await this.get(path)
      if (thing.status !== busy) return thing
      if (Date.now() > deadline) throw new Error(`${path} is still ${busy}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

export function defaultAnswers(questions) {
  return questions.map((question) => {
    let answer = question.default
    if (answer === undefined && question.type === 'boolean') answer = false
    if (answer === undefined && question.type === 'single_choice') answer = question.options[0]
    if (answer === undefined && question.type === 'multiple_choice') answer = [question.options[0]]
    if (answer === undefined) answer = 'Nothing special'
    return { questionId: question.id, answer }
  })
}

export const projectTool =
  'A project management tool with team collaboration features, task boards, and time tracking.'

// [1, 2, …, n]: neither hole nor double.
export function isDense(sequences) {
  return sequences.every((sequence, index) => sequence === index + 1)
}
