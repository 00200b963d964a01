// server: a scripted model server on loopback, in the true wire formats of Anthropic Messages, OpenAI Responses, Chat
// Completions and Ollama, streamed or whole. What it answers is said call by call, whatever the format:
//
//   { text: 'Hello' | ['Hel', 'lo'], thinking: '…', toolCalls: [{ id, name, arguments: {} | 'as it is' }], json: {…},
//     stop: 'end' | 'tools' | 'length' | 'refusal' | 'pause', usage: { input, cachedInput, cacheWrite, output } | null,
//     fault: …, repeat: true (this one for all later calls, too) }
//
// `fault` is one of the rows of `faults` below, as a word or as { kind, … }. Requests that a real server would refuse
// are refused here, too. As a program it prints its address, takes scripts over HTTP (POST /_script {name, steps, key},
// then base addresses /s/NAME; GET /_requests?name=NAME), and ends when its standard input does.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { formats, refusals } from './formats.mjs'

const defaultUsage = { input: 100, cachedInput: 0, cacheWrite: 0, output: 20 }

// What a step is for the formats: all fields there, JSON as text.
function complete(step) {
  const text = step.json === undefined ? (step.text ?? []) : JSON.stringify(step.json)
  const calls = step.toolCalls ?? []
  return {
    chunks: Array.isArray(text) ? text : text === '' ? [] : text.length > 1 ? [text.slice(0, text.length >> 1), text.slice(text.length >> 1)] : [text],
    thinking: step.thinking,
    calls: calls.map((call, index) => ({
      id: call.id ?? `call_${index}_${Math.random().toString(36).slice(2)}`,
      name: call.name,
      text: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}),
      empty: call.arguments === undefined,
    })),
    stop: step.stop ?? (calls.length ? 'tools' : 'end'),
    usage: step.usage === undefined ? defaultUsage : step.usage === null ? null : { ...defaultUsage, ...step.usage },
    unknown: step.unknown === true,
  }
}

const half = (text) => text.slice(0, Math.max(1, text.length >> 1))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Each gets the exchange: the response, the wire's parts (strings, in order), the format, and the fault's own fields.
const faults = {
  // An HTTP error in the format's own shape.
  status: ({ response, format, fault }) => {
    response.writeHead(fault.status, { 'content-type': fault.contentType ?? 'application/json', ...fault.headers })
    response.end(fault.body ?? JSON.stringify(format.error(fault.status, fault.error ?? {})))
  },
  // The connection breaks in the middle of an event.
  cut: async ({ begin, response, parts, format }) => {
    begin()
    await write(response, parts.slice(0, -format.lastEvents).join('') + half(parts.at(-format.lastEvents)))
    response.destroy()
  },
  // The stream ends in order, before its last event (what says that it is complete).
  truncated: async ({ begin, response, parts, format }) => {
    begin()
    response.end(parts.slice(0, -format.lastEvents).join(''))
  },
  // Nothing comes, not even a status line.
  hang: () => {},
  // Some of the stream, then nothing.
  'hang-stream': async ({ begin, response, parts }) => {
    begin()
    await write(response, parts.slice(0, Math.max(1, parts.length - 3)).join(''))
  },
  // The whole, a few bytes at a time.
  drip: async ({ begin, response, parts, fault }) => {
    begin()
    const bytes = Buffer.from(parts.join(''))
    for (let at = 0; at < bytes.length && !response.destroyed; at += fault.bytes ?? 7) {
      await write(response, bytes.subarray(at, at + (fault.bytes ?? 7)))
      if (fault.everyMs) await sleep(fault.everyMs)
    }
    response.end()
  },
  // Signs of life for ever, and no answer.
  'ping-forever': async ({ begin, response, format }) => {
    begin()
    while (!response.destroyed) {
      await write(response, format.ping)
      await sleep(5)
    }
  },
  malformed: ({ begin, response, parts, format }) => {
    begin()
    response.end(parts[0] + format.raw('{"type":"text_delta", broken') + parts.slice(1).join(''))
  },
  'bad-utf8': ({ begin, response, parts, format }) => {
    begin()
    const [before, after] = format.raw('{"text":"@"}').split('@')
    response.end(Buffer.concat([Buffer.from(parts[0] + before), Buffer.from([0xff, 0xfe]), Buffer.from(after + parts.slice(1).join(''))]))
  },
  // An error in the stream, which began well.
  'error-event': ({ begin, response, parts, format, fault }) => {
    begin()
    response.end(parts[0] + format.errorEvent(fault.error ?? { type: 'overloaded_error', message: 'Overloaded' }))
  },
  html: ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<!doctype html><title>Sign in</title>')
  },
  redirect: ({ response, fault }) => {
    response.writeHead(307, { location: fault.to ?? 'http://127.0.0.1:1/elsewhere' })
    response.end()
  },
  // Answers without end, as far as anyone listens.
  huge: async ({ begin, response, format, fault }) => {
    begin()
    const text = 'x'.repeat(64 * 1024)
    const parts = format.stream({ ...complete({ text: Array(Math.ceil((fault.bytes ?? 6 * 1024 * 1024) / text.length)).fill(text) }) }, 'm')
    for (const part of parts) {
      if (response.destroyed) return
      await write(response, part)
    }
    response.end()
  },
  // One event without an end.
  'huge-event': async ({ begin, response, format }) => {
    begin()
    await write(response, format.raw('{"x":"').trimEnd())
    const text = 'x'.repeat(1024 * 1024)
    for (let i = 0; i < 40 && !response.destroyed; i++) await write(response, text)
    response.end()
  },
  reset: ({ request }) => request.socket.resetAndDestroy(),
}

// Resolves once the data went out, or never will.
const write = (response, data) =>
  new Promise((resolve) => {
    if (response.destroyed) return resolve()
    response.once('close', resolve)
    response.write(data, () => {
      response.off('close', resolve)
      resolve()
    })
  })

export class ModelServer {
  // script: steps, or a function of the call ({ format, body, index, headers }) that answers a step.
  static async start(script = [], options = {}) {
    const server = new ModelServer()
    server.scripts = new Map()
    server.set('', script, options)
    server.http = createServer((request, response) => server.handle(request, response).catch((error) => response.destroy(error)))
    server.http.listen(0, '127.0.0.1')
    await once(server.http, 'listening')
    server.url = `http://127.0.0.1:${server.http.address().port}`
    return server
  }

  // A script of its own under the base address `${url}/s/${name}`. key: only calls that bring it are answered.
  set(name, steps, { key } = {}) {
    this.scripts.set(name, { steps, key, requests: [], index: 0 })
    return name ? `${this.url}/s/${name}` : this.url
  }

  // [{ path, format, headers, body }] in the order of their coming.
  requests(name = '') {
    return this.scripts.get(name).requests
  }

  // The base address as this provider's is usually given.
  address(provider, name = '') {
    const base = name ? `${this.url}/s/${name}` : this.url
    return provider === 'openai' || provider === 'chat' ? `${base}/v1` : base
  }

  async close() {
    this.http.closeAllConnections()
    this.http.close()
    await once(this.http, 'close')
  }

  async handle(request, response) {
    const chunks = []
    request.on('error', () => {})
    response.on('error', () => {})
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const url = new URL(request.url, this.url)
    if (url.pathname === '/_script' || url.pathname === '/_requests') return this.control(url, text, response)
    const [, name = '', path] = /^(?:\/s\/([^/]+))?(\/.*)$/.exec(url.pathname)
    const script = this.scripts.get(name)
    const format = Object.values(formats).find((candidate) => candidate.path === path)
    if (!script || !format || request.method !== 'POST') {
      response.writeHead(404, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ error: { message: `Unknown request URL: ${request.method} ${path}`, type: 'invalid_request_error' } }))
    }
    await this.answer(script, format, { request, response, text, path })
  }

  control(url, text, response) {
    if (url.pathname === '/_script') {
      const { name, steps, key } = JSON.parse(text)
      this.set(name, steps, { key })
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(url.pathname === '/_requests' ? JSON.stringify(this.requests(url.searchParams.get('name') ?? '')) : '{}')
  }

  async answer(script, format, { request, response, text, path }) {
    let body
    try {
      body = JSON.parse(text)
    } catch {
      return faults.status({ response, format, fault: { status: 400, error: { type: 'invalid_request_error', message: 'the body is not JSON' } } })
    }
    const index = script.requests.push({ path, format: format.name, headers: request.headers, body }) - 1
    const refusal = refusals(format.name, request.headers, body, script.key)
    if (refusal) return faults.status({ response, format, fault: refusal })
    const step = await nextStep(script, { format: format.name, body, index, headers: request.headers })
    if (!step) {
      const error = { type: 'invalid_request_error', message: `the script has no step ${index + 1}` }
      return faults.status({ response, format, fault: { status: 400, error } })
    }
    await this.play(step, format, { request, response, body })
  }

  async play(step, format, { request, response, body }) {
    const full = complete(step)
    const fault = typeof step.fault === 'string' ? { kind: step.fault } : step.fault
    const begin = () => response.writeHead(200, { 'content-type': fault?.contentType ?? format.contentType, ...step.headers })
    const streams = format.streamsByDefault ? body.stream !== false : body.stream === true
    if (fault) {
      if (!faults[fault.kind]) throw new Error(`no fault ${fault.kind}`)
      return faults[fault.kind]({ request, response, format, fault, begin, parts: format.stream(full, body.model) })
    }
    if (!streams) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify(format.whole(full, body.model)))
    }
    begin()
    for (const part of format.stream(full, body.model)) await write(response, part)
    response.end()
  }
}

async function nextStep(script, call) {
  if (typeof script.steps === 'function') return script.steps(call)
  const last = script.steps.at(-1)
  return script.steps[script.index++] ?? (last?.repeat ? last : undefined)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await ModelServer.start()
  console.log(server.url)
  process.stdin.resume()
  process.stdin.on('close', () => process.exit(0))
  process.stdin.on('end', () => process.exit(0))
}
