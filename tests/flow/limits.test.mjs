// limits: how many requests a minute, told on every answer.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { operationsOf, printedDocument } from '../contract/document.mjs'
import { pathWithout } from '../contract/schema.mjs'
import { refused } from './expect.mjs'
import { Server } from './lib.mjs'

let server
before(async () => {
  server = await Server.start({ args: ['--workers', '0', '--rate-limit', 'on'] })
})
after(() => server.remove())

const nobody = { authorization: undefined }

// {limit, remaining} of an answer, whose headers must all be there and agree.
function told({ headers, status }, what = status) {
  const limit = Number(headers.get('x-ratelimit-limit'))
  const remaining = Number(headers.get('x-ratelimit-remaining'))
  const reset = Number(headers.get('x-ratelimit-reset')) - Date.now() / 1000
  assert.ok(limit > 0, `${what} has no limit: ${JSON.stringify([...headers])}`)
  assert.ok(remaining >= 0 && remaining <= limit, what)
  assert.ok(reset > -2 && reset <= 61, `${what}: ${reset}`)
  assert.equal(headers.get('ratelimit-policy'), `"default";q=${limit};w=60`)
  assert.match(headers.get('ratelimit'), new RegExp(`^"default";r=${remaining};t=\\d+$`))
  return { limit, remaining }
}

test('tiers', async () => {
  for (const [tier, limit] of [['free', 60], ['pro', 300], ['enterprise', 1000]]) {
    const tenant = await server.tenant(tier)
    assert.deepEqual(told(await tenant.call('GET', '/projects')), { limit, remaining: limit - 1 })
    assert.deepEqual(told(await tenant.call('POST', '/projects', {})), { limit, remaining: limit - 2 })
  }
})

test('of a hundred at once just sixty pass', async () => {
  const tenant = await server.tenant('free')
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 ? tenant.call('GET', '/projects') : tenant.call('POST', '/projects', {}))))
  const passed = answers.filter(({ status }) => status !== 429)
  assert.equal(passed.length, 60)
  assert.deepEqual(passed.map((answer) => told(answer).remaining).sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i))
  const late = await tenant.call('GET', '/auth/me')
  const error = refused(late, 429)
  assert.equal(told(late).remaining, 0)
  assert.equal(error.details.limit, 60)
  assert.equal(error.details.retryAfterSeconds, Number(late.headers.get('retry-after')))
  assert.ok(error.details.retryAfterSeconds > 0 && error.details.retryAfterSeconds <= 60)
})

test('all keys and sessions of an account count together, those of others do not', async () => {
  const [one, other] = [await server.tenant('free'), await server.tenant('free')]
  const second = one.as((await one.post('/api-keys', { name: 'second' })).key)
  assert.equal(told(await second.call('GET', '/projects')).remaining, 58)
  assert.equal(told(await other.call('GET', '/projects')).remaining, 59)
})

describe('every answer tells', () => {
  const asks = {
    200: () => server.call('GET', '/projects'),
    201: () => server.call('POST', '/projects', { name: 'x', description: 'y' }),
    204: () => server.fetch('/v1/projects', { method: 'OPTIONS' }),
    400: () => server.call('POST', '/projects', {}),
    '401 without a key': () => server.call('GET', '/projects', undefined, nobody),
    '401 of a write': () => server.call('POST', '/projects', {}, nobody),
    '404 of an id': () => server.call('GET', '/projects/proj_x'),
    '404 of a path': () => server.call('GET', '/nothing'),
    405: () => server.call('PUT', '/projects', {}),
    413: () => server.raw('POST /v1/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n'),
    415: () => server.call('POST', '/projects', 'x', { 'content-type': 'text/plain' }),
    431: () => server.call('GET', '/projects', undefined, { 'x-long': 'x'.repeat(13000) }),
    'malformed HTTP': () => server.raw('GET /v1/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'),
    '/health': () => server.call('GET', '/health', undefined, nobody),
    '/docs': () => server.fetch('/docs'),
  }
  for (const [what, ask] of Object.entries(asks)) test(what, async () => told(await ask(), what))
})

test('health is never refused, and whoever guesses keys is', async () => {
  const lone = await Server.start({ args: ['--workers', '0', '--rate-limit', 'on'] })
  try {
    const answers = await Promise.all(Array.from({ length: 310 }, () => lone.call('GET', '/projects', undefined, nobody)))
    assert.deepEqual([401, 429].map((status) => answers.filter((answer) => answer.status === status).length), [300, 10])
    assert.equal((await lone.call('GET', '/health', undefined, nobody)).status, 200)
    for (const path of ['/auth/login', '/auth/register', '/auth/logout']) refused(await lone.call('POST', path, undefined, nobody), 429)
    assert.equal((await lone.call('GET', '/projects')).status, 200, 'a good key is not held up by others\' guesses')
  } finally {
    await lone.remove()
  }
})

test('can be switched off', async () => {
  const open = await Server.start({ args: ['--workers', '0', '--rate-limit', 'off'] })
  try {
    const answer = await open.call('GET', '/projects')
    assert.equal(answer.headers.get('x-ratelimit-limit'), null)
  } finally {
    await open.remove()
  }
})

// Whoever is over the limit is told so whatever is asked.
test('429 of every operation', async () => {
  const document = printedDocument()
  const tenant = await server.tenant('free')
  while ((await tenant.call('GET', '/auth/me')).status !== 429);
  for (const { path, method, operation, parameters } of operationsOf(document)) {
    if (!operation.responses['429'] || operation.security.length === 0) continue
    const body = operation.requestBody?.content?.['application/json']?.example
    const answer = await tenant.call(method.toUpperCase(), pathWithout(document, path, parameters).slice(3), body)
    assert.equal(answer.status, 429, `${method} ${path}: ${answer.text}`)
  }
})
