// http: what is refused before any resource is asked, and that the server stays well.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { is, refused, success } from './expect.mjs'
import { Server } from './lib.mjs'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

const project = '/projects/proj_01h455vb4pex5vsknk084sn02q'
const run = `${project}/runs/run_01h455vb4pex5vsknk084sn02q`
const task = 'task_01h455vb4pex5vsknk084sn02q'

// Every path of the contract with what it allows.
const paths = {
  '/health': 'GET, HEAD',
  '/projects': 'GET, HEAD, POST',
  [project]: 'GET, HEAD, PATCH, DELETE',
  [`${project}/clarify`]: 'POST',
  [`${project}/answers`]: 'POST',
  [`${project}/approve`]: 'POST',
  [`${project}/regenerate`]: 'POST',
  [`${project}/runs`]: 'GET, HEAD, POST',
  [run]: 'GET, HEAD',
  [`${run}/cancel`]: 'POST',
  [`${run}/retry`]: 'POST',
  [`${run}/tasks`]: 'GET, HEAD',
  [`${run}/tasks/${task}`]: 'GET, HEAD',
  [`${run}/events`]: 'GET, HEAD',
  [`${run}/events/stream`]: 'GET, HEAD',
  [`${project}/export`]: 'POST',
  [`${project}/exports/exp_01h455vb4pex5vsknk084sn02q`]: 'GET, HEAD, DELETE',
  [`${project}/exports/exp_01h455vb4pex5vsknk084sn02q/download`]: 'GET, HEAD',
  [`${project}/deploy`]: 'POST',
  [`${project}/deployments/dep_01h455vb4pex5vsknk084sn02q`]: 'GET, HEAD',
  [`${project}/files`]: 'GET, HEAD',
  [`${project}/files/src/app/page.tsx`]: 'GET, HEAD',
}

const words = (allow) => allow.split(', ').filter((word) => word !== 'OPTIONS').sort()

describe('methods', () => {
  for (const [path, allow] of Object.entries(paths)) {
    test(`${path} allows ${allow}`, async () => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'BREW']) {
        if (allow.split(', ').includes(method)) continue
        const answer = await server.call(method, path, method === 'GET' ? undefined : {})
        refused(answer, 405)
        assert.deepEqual(words(answer.headers.get('allow')), words(allow))
      }
      const options = await server.call('OPTIONS', path)
      assert.equal(options.status, 204)
      assert.deepEqual(words(options.headers.get('allow')), words(allow))
    })
  }

  test('HEAD has the headers of GET, and no body', async () => {
    const [get, head] = [await server.call('GET', '/projects'), await server.call('HEAD', '/projects')]
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    for (const name of ['content-type', 'content-length', 'cache-control']) assert.equal(head.headers.get(name), get.headers.get(name))
    assert.equal((await server.call('HEAD', project)).status, 404)
  })
})

describe('addresses', () => {
  for (const path of ['/', '/v1', '/v1/', '/v2/projects', '/projects', '/v1/projects/', '/v1/Projects', '/v1/nothing', `/v1${project}/`, `/v1${project}/nothing`,
    `/v1${run}/events/stream/more`, '/v1//projects', '/v1/projects//runs', `/v1${project}/files/`, '/favicon.ico']) {
    test(`${path} is not there`, async () => {
      const response = await server.fetch(path)
      const text = await response.text()
      refused({ status: response.status, headers: response.headers, text, body: JSON.parse(text) }, 404)
    })
  }

  for (const path of ['/v1/projects/%zz', '/v1/projects/%', '/v1/projects/%00', '/v1/projects/%ff%fe', '/v1/projects?page=%zz', '/v1/projects?search=%00']) {
    test(`${path} is malformed`, async () => {
      const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\nConnection: close\r\n\r\n`)
      refused(answer, 400)
    })
  }

  test('an address that is too long', async () => {
    const answer = await server.raw(`GET /v1/projects?search=${'x'.repeat(40000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.ok([414, 431].includes(answer.status), String(answer.status))
    assert.equal(answer.body.success, false)
  })
})

describe('headers of every answer', () => {
  test('a request id: made, or taken over when it is sane', async () => {
    const made = await server.call('GET', '/projects')
    const other = await server.call('GET', '/projects')
    assert.ok(is.string(made.headers.get('x-request-id')))
    assert.notEqual(made.headers.get('x-request-id'), other.headers.get('x-request-id'))
    const given = await server.call('GET', project, undefined, { 'x-request-id': 'my-request-42' })
    assert.equal(given.headers.get('x-request-id'), 'my-request-42')
    assert.equal(given.body.error.details.requestId, 'my-request-42')
    const insane = await server.call('GET', '/projects', undefined, { 'x-request-id': 'a"<script>\t b'.repeat(30) })
    assert.doesNotMatch(insane.headers.get('x-request-id'), /script/)
  })

  test('nothing is cached or guessed', async () => {
    for (const answer of [await server.call('GET', '/projects'), await server.call('GET', project), await server.call('GET', '/nothing')]) {
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    }
  })
})

describe('bodies', () => {
  const post = `POST /v1/projects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
  const authorized = () => `${post}Authorization: Bearer ${server.key}\r\n`
  const json = '{"name":"Chunks","description":"A recipe box for families."}'

  test('may come in chunks', async () => {
    const chunks = json.match(/.{1,7}/g).map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join('')
    const answer = await server.raw(`${authorized()}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)
    assert.equal(answer.status, 201)
  })

  test('too large is refused before it comes, and in chunks once it is too large', async () => {
    refused(await server.raw(`${authorized()}Content-Length: 99999999\r\n\r\n`), 413)
    const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`
    const answer = await server.raw(`${authorized()}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`)
    assert.equal(answer.status, 413)
    assert.equal(answer.body.error.code, 'PAYLOAD_TOO_LARGE')
  })

  for (const [what, head, status] of [
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde', 400],
    ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['a negative length', 'Content-Length: -1\r\n\r\n', 400],
    ['an unknown encoding', 'Transfer-Encoding: gzip\r\n\r\n', 400],
    ['a NUL in a header', 'X-A: a\0b\r\n\r\n', 400],
    ['a header without colon', 'nonsense\r\n\r\n', 400],
    ['too many headers', `${Array.from({ length: 200 }, (_, i) => `X-${i}: ${'v'.repeat(200)}\r\n`).join('')}\r\n`, 431],
  ]) {
    test(`${what}: ${status}`, async () => {
      const answer = await server.raw(`${authorized()}${head}`)
      assert.equal(answer.status, status)
      assert.equal(answer.body.error.code, 'VALIDATION_ERROR')
    })
  }

  test('half a request that goes away harms nobody', async () => {
    const aborter = new AbortController()
    const pending = server.fetch('/v1/projects', {
      method: 'POST', duplex: 'half', signal: aborter.signal, headers: { 'content-type': 'application/json' },
      body: new ReadableStream({ start: (controller) => (controller.enqueue(new TextEncoder().encode('{"na')), setImmediate(() => aborter.abort())) }),
    })
    await assert.rejects(pending)
    success(await server.call('POST', '/projects', JSON.parse(json)), 201)
  })
})

test('many at once get each their own answer', async () => {
  const made = await Promise.all(Array.from({ length: 100 }, (_, i) =>
    server.post('/projects', { name: `Many ${i}`, description: `Number ${i}` })))
  const read = await Promise.all(made.map(({ id }) => server.get(`/projects/${id}`)))
  assert.deepEqual(read.map(({ name, description }) => [name, description]), made.map((_, i) => [`Many ${i}`, `Number ${i}`]))
  assert.equal(new Set(made.map(({ id }) => id)).size, 100)
})
