// hardening: odd addresses and methods, many connections, too few descriptors, what logs and answers must not say.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { refused, success } from './expect.mjs'
import { Server, binary, cleanEnv, temporaryFolder, until } from './lib.mjs'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0', '--log-level', 'debug'] })))
after(() => server.remove())

const project = 'proj_01h455vb4pex5vsknk084sn02q'

// One request by its line, and headers of its own.
function line(text, ...headers) {
  return server.raw([text, 'Host: x', `Authorization: Bearer ${server.key}`, ...headers, 'Connection: close', '', ''].join('\r\n'))
}

describe('addresses', () => {
  for (const [target, status] of [
    ['http://example.org/v1/projects', 200],
    ['HTTP://example.org:80/v1/projects?page=1', 200],
    ['http://example.org', 404],
    ['http://', 404],
    ['ftp://example.org/v1/projects', 400],
    ['example.org:443', 400],
    ['v1/projects', 400],
    ['*', 404],
    ['?page=1', 400],
    ['//v1/projects', 404],
    ['/v1//projects', 404],
    ['/v1/./projects', 404],
    ['/v1/x/../projects', 404],
    ['/v1/%2e%2e/v1/projects', 404],
    ['/v1%2fprojects', 404],
    ['/v1/%70rojects', 200],
    ['/v1/projects;x=1', 404],
    ['/v1/projects#fragment', 404],
    ['/v1/projects\\', 404],
    [`/v1/projects/${project}/files/..%2f..%2f..%2fetc%2fpasswd`, 404],
    [`/v1/projects/${project}/files/%2fetc%2fpasswd`, 404],
    ['/v1/projects/%00', 400],
    ['/v1/projects?search=%c3%28', 400],
    ['/v1/projects?search=\xc3\xa4', 200],
    ['/v1/projects?search=\xff', 400],
    ['/v1/projects?%', 400],
    ['/v1/projects?&&&', 200],
    ['/v1/projects?page=1?page=2', 400],
  ]) {
    test(`${JSON.stringify(target)}: ${status}`, async () => {
      const head = `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nConnection: close\r\n\r\n`
      const answer = await server.raw(Buffer.from(head, 'latin1'))
      assert.equal(answer.status, status, answer.text.slice(0, 300))
      if (status !== 200) refused(answer, status, answer.body.error?.details?.field)
    })
  }
})

describe('methods', () => {
  for (const method of ['get', 'Get', 'BREW', 'TRACE', 'CONNECT', 'PROPFIND', 'M-SEARCH', 'X'.repeat(200)]) {
    test(`${method.slice(0, 20)} is none of ours`, async () => {
      const answer = await line(`${method} /v1/projects HTTP/1.1`)
      refused(answer, 405)
      assert.equal(answer.headers.get('allow'), 'GET, HEAD, POST, OPTIONS')
    })
  }
  for (const [text, statuses] of [['G@T /v1/projects HTTP/1.1', [400]], ['GET /v1/projects HTTP/2.0', [400, 505]], ['GET /v1/projects HTTP/1.1x', [400, 505]],
    ['GET /v1/projects http/1.1', [400, 505]], ['GET  /v1/projects HTTP/1.1', [400]]]) {
    test(text, async () => {
      const answer = await line(text)
      assert.ok(statuses.includes(answer.status), answer.text.slice(0, 300))
    })
  }
})

// A socket of one's own; `said` is all that came.
async function connected() {
  const socket = net.connect(Number(new URL(server.url).port), '127.0.0.1')
  const peer = { socket, said: '' }
  socket.on('error', () => {}).on('data', (data) => (peer.said += data))
  peer.closed = once(socket, 'close')
  await once(socket, 'connect')
  return peer
}

test('a hundred requests at once on one connection are answered in their order', async () => {
  const peer = await connected()
  const request = (i) => `GET /v1/projects/${i % 3 ? project : ''}?n HTTP/1.1\r\nHost: x\r\nX-Request-Id: number-${i}\r\nAuthorization: Bearer ${server.key}\r\n\r\n`
  peer.socket.end(Array.from({ length: 100 }, (_, i) => request(i)).join(''))
  await peer.closed
  const ids = [...peer.said.matchAll(/^x-request-id: (.*)\r$/gim)].map(([, id]) => id)
  assert.deepEqual(ids, Array.from({ length: 100 }, (_, i) => `number-${i}`))
})

test('whoever has said all still gets the answer', async () => {
  const peer = await connected()
  const body = JSON.stringify({ name: 'Half', description: 'A recipe box for families.' })
  peer.socket.end(`POST /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await peer.closed
  assert.match(peer.said, /^HTTP\/1.1 201 /)
})

test('a body that is too large is refused before it is asked for', async () => {
  const answer = await line('POST /v1/projects HTTP/1.1', 'Expect: 100-continue', 'Content-Type: application/json', 'Content-Length: 99999999')
  refused(answer, 413)
  assert.doesNotMatch(answer.text, /100 Continue/i)
})

describe('what is said and what is kept quiet', () => {
  test('no other site may read answers: no CORS', async () => {
    const origin = 'https://evil.example'
    for (const answer of [
      await server.call('GET', '/projects', undefined, { origin }),
      await server.call('OPTIONS', '/projects', undefined, { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }),
      await server.call('GET', '/health', undefined, { origin }),
    ]) {
      assert.ok(answer.status < 300)
      assert.deepEqual([...answer.headers.keys()].filter((name) => name.startsWith('access-control')), [])
    }
  })

  test('every answer says how it may be kept and that its type is meant', async () => {
    for (const path of ['/v1/projects', '/v1/health', '/health', '/docs', '/v1/openapi.json', '/v1/nothing', '/metrics']) {
      const response = await server.fetch(path)
      await response.text()
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path)
      assert.ok(response.headers.get('cache-control'), path)
    }
  })

  test('the reference page runs nothing but its own script', async () => {
    const response = await server.fetch('/docs')
    await response.text()
    const policy = response.headers.get('content-security-policy')
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /base-uri 'none'/)
    assert.doesNotMatch(policy, /unsafe-eval|script-src[^;]*unsafe-inline|\*/)
  })

  test('neither answers nor the log tell a secret', async () => {
    const secrets = [`pzm_${'s'.repeat(38)}`, 'f0'.repeat(32), 'hunter2hunter2', server.key]
    for (const [method, path, body, headers] of [
      ['GET', '/projects', undefined, { authorization: `Bearer ${secrets[0]}` }],
      ['GET', '/projects', undefined, { authorization: `Basic ${Buffer.from(`x:${secrets[0]}`).toString('base64')}` }],
      ['GET', '/projects', undefined, { authorization: undefined, cookie: `prazium_session=${secrets[1]}` }],
      ['POST', '/auth/login', { email: 'nobody@example.org', password: secrets[2] }],
      ['POST', '/auth/register', { email: 'nobody', password: secrets[2] }],
      ['GET', `/projects?token=${secrets[2]}`],
      ['GET', `/nothing?key=${server.key}`],
    ]) {
      const answer = await server.call(method, path, body, headers)
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
      for (const secret of secrets) assert.ok(!answer.text.includes(secret), answer.text)
    }
    await server.call('GET', '/health')
    for (const secret of secrets) assert.ok(!server.log.includes(secret), `the log has ${secret}`)
  })

  test('nobody writes lines into the log', async () => {
    const marker = 'forged-by-a-path'
    await line(`GET /v1/projects/%0d%0a${marker}%1b[31m HTTP/1.1`)
    await server.raw(Buffer.from(`GET /v1/\x9b31m\xff${marker} HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'))
    await server.call('GET', '/nothing', undefined, { 'x-request-id': `a b=${marker}` })
    await until('the log has the paths', 20, () => server.log.split(marker).length > 2)
    for (const text of server.log.split('\n').filter(Boolean)) {
      assert.match(text, /^\d{4}-\d\d-\d\dT\S+Z (debug|info|warn|error)/, text)
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f]/, 'no control characters')
    }
  })
})

// A server that may have 64 descriptors, its workers included.
test('with too few descriptors it keeps whom it has, and recovers', async () => {
  const data = await temporaryFolder()
  const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$0" "$@"', binary, 'serve', '--listen', '127.0.0.1:0', '--data', data, '--workers', '0', '--rate-limit', 'off'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnv })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (log += text))
  const exited = once(child, 'exit')
  const sockets = []
  try {
    const [first] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), exited.then(() => assert.fail(log))])
    const port = Number(new URL(first.trim()).port)
    const key = (await readFile(join(data, 'admin.key'), 'utf8')).trim()
    const open = () => {
      const socket = net.connect(port, '127.0.0.1')
      const peer = { socket, said: '', ask: () => socket.write(`GET /v1/projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`) }
      socket.on('error', () => {}).on('data', (text) => (peer.said += text))
      sockets.push(peer)
      return peer
    }
    const answers = (peer) => peer.said.split('HTTP/1.1 200 OK').length - 1
    const kept = open()
    kept.ask()
    await until('the first is answered', 20, () => answers(kept) === 1)
    const others = Array.from({ length: 300 }, open)
    others.forEach((peer) => peer.ask())
    await until('some of the others are answered', 20, () => others.some((peer) => answers(peer) === 1))
    for (let i = 2; i < 12; i++) {
      kept.ask()
      await until('the first is answered amid the others', 20, () => answers(kept) === i)
    }
    assert.ok(others.some((peer) => peer.said === ''), 'not all found room')
    for (const peer of others) peer.socket.destroy()
    const late = open()
    late.ask()
    await until('a late one is answered', 30, () => answers(late) === 1)
    kept.ask()
    await until('the first is still there', 20, () => answers(kept) === 12)
    // What needs descriptors of its own works again, too.
    const made = await fetch(`http://127.0.0.1:${port}/v1/projects`, {
      method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'After', description: 'A recipe box for families.' }),
    })
    assert.equal(made.status, 201, await made.text())
  } finally {
    for (const peer of sockets) peer.socket.destroy()
    child.kill('SIGTERM')
    const [code] = await exited
    await rm(data, { recursive: true, force: true })
    assert.equal(code, 0, log.slice(-4000))
    assert.doesNotMatch(log, /runtime error|AddressSanitizer|LeakSanitizer/)
  }
})

test('and after all that it is well', async () => {
  success(await server.call('POST', '/projects', { name: 'Well', description: 'A recipe box for families.' }), 201)
})
