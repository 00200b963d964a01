// receiver: whoever is told by webhooks: a server on loopback that keeps what it gets, and checks who sent it.
import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { until } from './lib.mjs'

// Standard Webhooks 1.0.0, "Signature scheme", done anew.
export function isSigned(secret, { headers, text }) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`).digest()
  return headers['webhook-signature'].split(' ').some((signature) => {
    const [version, value] = signature.split(',')
    const given = Buffer.from(value, 'base64')
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted)
  })
}

export class Receiver {
  got = []

  // answer gets each request (as in got) and its response, and answers; without it all is well.
  static async start(answer = (request, response) => response.end()) {
    const receiver = new Receiver()
    receiver.server = http.createServer(async (request, response) => {
      const chunks = []
      for await (const chunk of request) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      const one = { method: request.method, path: request.url, headers: request.headers, text, body: JSON.parse(text), at: Date.now() }
      receiver.got.push(one)
      answer(one, response, receiver.got.length)
    })
    receiver.server.listen(0, '127.0.0.1')
    await once(receiver.server, 'listening')
    receiver.server.unref()
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`
    return receiver
  }

  async stop() {
    this.server.closeAllConnections()
    this.server.close()
  }

  // The first so many requests, once they are there.
  async reach(count, seconds = 30) {
    return until(`${count} messages at ${this.url}; there are ${this.got.length}`, seconds, () => this.got.length >= count && this.got.slice(0, count))
  }

  types() {
    return this.got.map(({ body }) => body.type)
  }
}

// What every message is, whatever it tells.
export function checkMessage(message, secret) {
  assert.equal(message.method, 'POST')
  assert.equal(message.headers['content-type'], 'application/json')
  assert.equal(message.headers['user-agent'], 'Prazium/1.0.0')
  assert.match(message.headers['webhook-id'], /^msg_/)
  assert.ok(Math.abs(Number(message.headers['webhook-timestamp']) - message.at / 1000) < 60)
  assert.deepEqual(Object.keys(message.body), ['type', 'timestamp', 'data'])
  assert.ok(isSigned(secret, message), 'the signature is of this secret')
  assert.ok(!isSigned(secret, { ...message, text: `${message.text} ` }), 'and of this body')
}
