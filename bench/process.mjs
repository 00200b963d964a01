// process: starting, pinning, asking and stopping the programs that are measured.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { availableParallelism } from 'node:os'

export const binary = new URL('../build/prazium', import.meta.url).pathname
const here = (name) => new URL(name, import.meta.url).pathname

// The Node that the peers run on: the one that package.json pins.
export const peerNode = [`node_modules/node-linux-${process.arch}/bin/node`].map(here).find(existsSync)

// Options of whoever runs this must not become the servers'. The rate limit would be all that is measured.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PRAZIUM_')))
Object.assign(env, { PRAZIUM_RATE_LIMIT: 'off', NODE_ENV: 'production' })

// The server has one core, who asks it another.
export const isPinned = availableParallelism() >= 2
const pinned = (core, command) => (isPinned ? ['taskset', '-c', String(core), ...command] : command)

const children = new Set()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

export function start(command, options = {}) {
  const [program, ...args] = options.core === undefined ? command : pinned(options.core, command)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...env, ...options.env } })
  child.log = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (child.log = (child.log + text).slice(-4000)))
  children.add(child)
  child.ended = once(child, 'exit').then(([code]) => {
    children.delete(child)
    return code
  })
  return child
}

export async function stop(child) {
  child.kill('SIGTERM')
  await child.ended
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export const praziumCommand = (port, data) => [binary, 'serve', '--listen', `127.0.0.1:${port}`, '--data', data]
export const peerCommand = (port, ...args) => [peerNode, here('peer.mjs'), String(port), ...args]

// Resolves when GET /health was answered with 200; tries again at once, so that the end is seen within a millisecond.
export async function healthy(child, port) {
  const deadline = performance.now() + 20_000
  while (!(await isHealthy(port))) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}\n${child.log}`)
    if (performance.now() > deadline) throw new Error(`${child.spawnargs.join(' ')} does not answer\n${child.log}`)
    await new Promise((resolve) => setTimeout(resolve, 0.5))
  }
}

function isHealthy(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.write('GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n')
    })
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().startsWith('HTTP/1.1 200'))
    })
    socket.once('error', () => resolve(false))
    socket.once('end', () => resolve(false))
  })
}

// A server on a core of its own, with a client of its API.
export async function serve(command, port, core) {
  const child = start(command, { core })
  await healthy(child, port)
  const server = { child, port, key: undefined, stop: () => stop(child) }
  server.call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${server.key}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`)
    return answer.data
  }
  return server
}

export async function servePrazium(data, core) {
  const port = await freePort()
  const server = await serve(praziumCommand(port, data), port, core)
  server.key = readFileSync(`${data}/admin.key`, 'utf8').trim()
  return server
}

// Runs to the end and answers what it wrote to stdout.
export async function output(command, options = {}) {
  const [program, ...args] = options.core === undefined ? command : pinned(options.core, command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd, env: { ...env, ...options.env } })
  let text = ''
  let log = ''
  children.add(child)
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part))
  child.stderr.setEncoding('utf8').on('data', (part) => (log += part))
  const [code] = await once(child, 'close')
  children.delete(child)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${log}${text}`)
  return text
}

// wrk for so long; answers requests a second and latencies. An error is no result.
export async function load(server, path, { clients, seconds, method = 'GET', body }) {
  const text = await output(
    ['wrk', '-t1', '--timeout', '30s', `-c${clients}`, `-d${seconds}s`, '-s', here('request.lua'), `http://127.0.0.1:${server.port}${path}`],
    { core: 1, env: { BENCH_KEY: server.key, BENCH_METHOD: method, ...(body && { BENCH_BODY: JSON.stringify(body) }) } },
  )
  const result = JSON.parse(/^JSON (.*)$/m.exec(text)[1])
  if (result.errors > 0) throw new Error(`${method} ${path}: ${result.errors} of ${result.requests} failed\n${text}`)
  return { rate: result.requests / result.seconds, p50: result.p50_ms, p99: result.p99_ms }
}

// The run of median rate, of several over all servers in turn: what disturbs the machine disturbs all of them.
export async function loads(servers, rounds, measure) {
  const runs = servers.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [index, server] of servers.entries()) runs[index].push(await measure(server))
  return runs.map((of) => of.sort((a, b) => a.rate - b.rate)[of.length >> 1])
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
