// sockets: clients of the WebSocket: a real one (the package ws), and one of raw frames for what a real one cannot do.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import net from 'node:net'
import WebSocket from '../contract/node_modules/ws/wrapper.mjs'
import { tell } from './record.mjs'

const patience = 30_000, ofBuilds = 240_000 // ms; between two events of a build the app may be built

// The messages of one connection, in order. Each wait has a deadline.
class Socket {
  constructor(ws) {
    this.ws = ws
    this.heard = [] // all that came, also what nobody waited for
    this.unread = []
    this.waiting = undefined
    this.closed = new Promise((resolve) => ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
    ws.on('error', () => {})
    ws.on('message', (data, isBinary) => {
      assert.equal(isBinary, false, 'the server speaks text')
      const message = JSON.parse(data.toString())
      this.heard.push(message)
      this.unread.push(message)
      this.waiting?.()
    })
    this.closed.then(() => this.waiting?.())
  }

  say(message) {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  async next() {
    if (this.unread.length === 0 && this.ws.readyState !== WebSocket.CLOSED)
      await within('a message', (resolve) => (this.waiting = resolve), ofBuilds)
    this.waiting = undefined
    return this.unread.shift()
  }

  // What is answered to this message; what came of channels meanwhile is in `heard` alone.
  async ask(message) {
    this.say(message)
    for (;;) {
      const answer = await this.next()
      if (!['event', 'complete'].includes(answer?.type)) return answer
    }
  }

  // Subscribes, and answers what it was told.
  async subscribe(channel, after) {
    const answer = await this.ask({ type: 'subscribe', channel, ...(after === undefined ? {} : { after }) })
    assert.equal(answer.type, 'subscribed', JSON.stringify(answer))
    assert.equal(answer.channel, channel)
    return answer
  }

  // Messages until one is so; it is the last of them.
  async until(isSo) {
    const all = []
    for (;;) {
      const message = await this.next()
      if (!message) return all
      all.push(message)
      if (isSo(message)) return all
    }
  }

  async close() {
    this.ws.close(1000)
    return within('the end', (resolve) => this.closed.then(resolve))
  }

  ended() {
    return within('the end', (resolve) => this.closed.then(resolve))
  }
}

function within(what, begin, limit = patience) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), limit)
    begin((value) => (clearTimeout(timer), resolve(value)))
  })
}

const address = (server, path) => server.url.replace('http', 'ws') + path

// A connection, or the answer that refuses it.
export function connect(server, headers = {}, path = '/v1/ws') {
  const ws = new WebSocket(address(server, path), { headers, perMessageDeflate: true })
  const socket = new Socket(ws)
  return within('the handshake', (resolve) => {
    ws.on('open', () => (tell('GET', path, 101), resolve(socket)))
    ws.on('unexpected-response', (request, response) => {
      tell('GET', path, response.statusCode)
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode, headers: new Headers(response.headers), text, body: text.startsWith('{') ? JSON.parse(text) : text })
      })
    })
  })
}

// One that is authenticated, by a message.
export async function open(server) {
  const socket = await connect(server)
  const answer = await socket.ask({ type: 'auth', token: server.key })
  assert.equal(answer?.type, 'authenticated', JSON.stringify(answer))
  return socket
}

// Bytes of a frame as a client sends it: masked. `first` is its first byte.
export function frame(first, payload) {
  const data = Buffer.from(payload), mask = randomBytes(4)
  const head = data.length < 126 ? [first, 0x80 | data.length] : [first, 0xfe, data.length >> 8, data.length & 255]
  if (data.length > 65535) {
    head.splice(1, 3, 0xff)
    for (let shift = 56n; shift >= 0n; shift -= 8n) head.push(Number((BigInt(data.length) >> shift) & 255n))
  }
  return Buffer.concat([Buffer.from(head), mask, data.map((byte, i) => byte ^ mask[i % 4])])
}

// A handshake and these bytes behind it, in one piece: {status, frames: [{opcode, text, code}]} when the server has closed.
export function raw(server, bytes, { headers = [], then } = {}) {
  const { hostname, port } = new URL(server.url)
  const lines = ['GET /v1/ws HTTP/1.1', `Host: ${hostname}:${port}`, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers]
  const socket = net.connect(Number(port), hostname)
  const chunks = []
  socket.on('error', () => {})
  socket.on('data', (chunk) => (chunks.push(chunk), then?.(socket, Buffer.concat(chunks))))
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]))
  return within('the end of the connection', (resolve) => socket.on('close', () => resolve(parsed(Buffer.concat(chunks)))))
}

function parsed(bytes) {
  const end = bytes.indexOf('\r\n\r\n')
  const head = bytes.subarray(0, end).toString()
  const frames = []
  for (let rest = bytes.subarray(end + 4); rest.length >= 2; ) {
    const short = rest[1] & 127
    assert.equal(rest[1] & 128, 0, 'the server does not mask')
    const at = short < 126 ? 2 : short === 126 ? 4 : 10
    const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    const data = rest.subarray(at, at + length)
    const opcode = rest[0] & 15
    frames.push(opcode === 8 ? { opcode, code: data.length ? data.readUInt16BE(0) : undefined, text: data.subarray(2).toString() } : { opcode, text: data.toString() })
    rest = rest.subarray(at + length)
  }
  return { status: Number(head.split(' ')[1]), head, frames }
}
