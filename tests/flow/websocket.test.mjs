// websocket: GET /v1/ws: the handshake, who may ask, what may be said, what is told, and that all of it is exact.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { is, refused, shape } from './expect.mjs'
import { isDense, Server, until } from './lib.mjs'
import { connect, frame, open, raw } from './sockets.mjs'

const unknown = '01h455vb4pex5vsknk084sn02q'
const text = 0x81

let server, tenant, other
before(async () => {
  server = await Server.start({ args: ['--workers', '1'] })
  ;[tenant, other] = [await server.tenant(), await server.tenant()]
})
after(() => server.remove())

// A project with a run that ended at once, and what polling tells of it.
async function endedRun(by) {
  const project = await by.approvedProject()
  const run = await by.post(`/projects/${project.id}/runs`)
  await by.post(`/projects/${project.id}/runs/${run.id}/cancel`)
  await by.finished(project.id, run.id)
  return { project, run, channel: `run:${run.id}`, events: await by.events(project.id, run.id) }
}

// An event of polling, as a message.
const told = (channel) => ({ createdAt, ...event }) => ({ type: 'event', channel, data: { ...event, timestamp: createdAt } })

const errorOf = (answer, code, more = {}) => {
  const details = more.details ?? {}
  shape(answer, { type: 'error', code, message: is.string, details: is.object, ...more, details: is.object })
  for (const [name, value] of Object.entries(details)) assert.deepEqual(answer.details[name], value, name)
  return answer
}

describe('the handshake', { concurrency: true }, () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }
  const lines = (headers) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const ask = (headers) => server.raw([`GET /v1/ws HTTP/1.1`, 'Host: flow', ...lines(headers), '', ''].join('\r\n'))

  test('refuses what does not ask for a WebSocket, and says what to ask for', async () => {
    for (const headers of [{ connection: 'close' }, { ...upgrade, upgrade: 'h2c', connection: 'close' }, { ...upgrade, connection: 'Upgrade, close', 'sec-websocket-version': '8' }]) {
      const answer = await ask(headers)
      refused(answer, 426)
      assert.equal(answer.headers.get('upgrade'), 'websocket')
      assert.match(answer.headers.get('connection'), /upgrade/i)
      assert.equal(answer.headers.get('sec-websocket-version'), '13')
    }
    refused(await tenant.call('GET', '/ws'), 426)
  })

  test('refuses what asks wrongly', async () => {
    refused(await ask({ ...upgrade, connection: 'close' }), 400)
    refused(await ask({ ...upgrade, connection: 'Upgrade, close', 'sec-websocket-key': 'short' }), 400)
    refused(await tenant.call('GET', '/ws?surplus=1'), 400, 'surplus')
  })

  test('refuses a wrong key, a suspended account, and whoever guesses', async () => {
    refused(await connect(server, { authorization: `Bearer pzm_${'0'.repeat(38)}` }), 401)
    refused(await connect(server, { authorization: 'Basic YTpi' }), 401)
    refused(await connect(server, { cookie: 'prazium_session=no' }), 401)
    const gone = await server.tenant()
    await server.answer('PATCH', `/admin/accounts/${gone.account.id}`, { status: 'suspended' })
    refused(await connect(gone, { authorization: `Bearer ${gone.key}` }), 403)
  })

  test('says who asks, by the header', async () => {
    const socket = await connect(server, { authorization: `Bearer ${tenant.key}` })
    assert.deepEqual(await socket.next(), { type: 'authenticated', accountId: tenant.account.id })
    assert.deepEqual(await socket.close(), { code: 1000, reason: '' })
  })

  test('says who asks, by the cookie, to pages of this server alone', async () => {
    const password = 'correct horse battery staple'
    const registered = await server.call('POST', '/auth/register', { email: 'ws@example.org', password, name: 'W' }, { authorization: undefined })
    const cookie = registered.headers.get('set-cookie').split(';')[0]
    const host = new URL(server.url).host
    for (const headers of [{}, { origin: `http://${host}` }, { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }]) {
      const socket = await connect(server, { cookie, ...headers })
      assert.equal((await socket.next()).type, 'authenticated')
      await socket.close()
    }
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { origin: `http://${host}`, 'sec-fetch-site': 'same-site' }]) {
      refused(await connect(server, { cookie, ...headers }), 403)
    }
    // A page elsewhere may speak for a key that it has.
    const page = await connect(server, { origin: 'http://elsewhere.example' })
    assert.equal((await page.ask({ type: 'auth', token: tenant.key })).type, 'authenticated')
    await page.close()
    // Logging out ends what the session opened.
    const socket = await connect(server, { cookie })
    assert.equal((await socket.next()).type, 'authenticated')
    assert.equal((await server.call('POST', '/auth/logout', {}, { cookie, authorization: undefined })).status, 200)
    assert.equal((await socket.ended()).code, 4401)
  })
})

describe('authentication by message', { concurrency: true }, () => {
  test('of a key', async () => {
    const socket = await connect(server)
    assert.deepEqual(await socket.ask({ type: 'auth', token: tenant.key, id: 'a' }), { type: 'authenticated', accountId: tenant.account.id, id: 'a' })
    // Again, by another key of the account; not by another account's.
    const second = (await tenant.post('/api-keys', { name: 'second' })).key
    assert.equal((await socket.ask({ type: 'auth', token: second })).type, 'authenticated')
    errorOf(await socket.ask({ type: 'auth', token: other.key }), 'CONFLICT', { request: 'auth' })
    assert.equal((await socket.ask({ type: 'ping' })).type, 'pong')
    await socket.close()
  })

  test('of a wrong one closes', async () => {
    for (const token of [`pzm_${'0'.repeat(38)}`, 'x', tenant.key.slice(0, -1)]) {
      const socket = await connect(server)
      errorOf(await socket.ask({ type: 'auth', token, id: 7 }), 'UNAUTHORIZED', { request: 'auth', id: 7 })
      assert.equal((await socket.ended()).code, 4401)
    }
  })

  test('of a suspended account closes', async () => {
    const gone = await server.tenant()
    await server.answer('PATCH', `/admin/accounts/${gone.account.id}`, { status: 'suspended' })
    const socket = await connect(server)
    errorOf(await socket.ask({ type: 'auth', token: gone.key }), 'FORBIDDEN', { request: 'auth' })
    assert.equal((await socket.ended()).code, 4403)
  })

  test('is due within five seconds, and before all else', async () => {
    const socket = await connect(server)
    errorOf(await socket.ask({ type: 'subscribe', channel: `run:run_${unknown}` }), 'UNAUTHORIZED', { request: 'subscribe' })
    errorOf(await socket.ask({ type: 'unsubscribe', channel: `run:run_${unknown}` }), 'UNAUTHORIZED', { request: 'unsubscribe' })
    assert.deepEqual(await socket.ask({ type: 'ping', id: 1 }), { type: 'pong', id: 1 })
    const { code, reason } = await socket.ended()
    assert.deepEqual([code, reason], [4401, 'nobody authenticated within 5 seconds'])
  })

  test('ends with the key, and with the account', async () => {
    const made = await tenant.post('/api-keys', { name: 'short-lived' })
    const gone = await server.tenant()
    const [byKey, stays, byAccount] = [await open(tenant.as(made.key)), await open(tenant), await open(gone)]
    assert.equal((await tenant.call('DELETE', `/api-keys/${made.apiKey?.id ?? made.id}`)).status, 200)
    await server.answer('PATCH', `/admin/accounts/${gone.account.id}`, { status: 'suspended' })
    assert.deepEqual(await byKey.ended(), { code: 4401, reason: 'the API key is not valid any more' })
    assert.deepEqual(await byAccount.ended(), { code: 4403, reason: 'the account is suspended' })
    assert.equal((await stays.ask({ type: 'ping' })).type, 'pong')
    await stays.close()
  })
})

describe('what is said', () => {
  let socket
  before(async () => (socket = await open(tenant)))
  after(() => socket.close())
  const fault = (field) => ({ details: { field } })

  test('must be a known message', async () => {
    const cases = [['', 'message'], ['{', 'message'], ['[]', 'message'], ['"auth"', 'message'], ['{"type":"ping","type":"ping"}', 'type'], [{}, 'type'], [{ type: 1 }, 'type'], [{ type: 'shout' }, 'type'], [{ type: 'ping', surplus: 1 }, 'surplus'], [{ type: 'subscribe' }, 'channel'], [{ type: 'subscribe', channel: 7 }, 'channel'], [{ type: 'subscribe', channel: 'log:x' }, 'channel'], [{ type: 'unsubscribe', channel: '' }, 'channel'], [{ type: 'auth' }, 'token'], [{ type: 'ping', id: {} }, 'id'], [{ type: 'ping', id: 'x'.repeat(201) }, 'id']]
    for (const [message, field] of cases) {
      const answer = await socket.ask(message)
      assert.equal(answer.type, 'error', JSON.stringify([message, answer]))
      assert.equal(answer.code, 'VALIDATION_ERROR', JSON.stringify([message, answer]))
      assert.equal(answer.details.field, field, JSON.stringify([message, answer]))
      assert.ok(answer.details.fields.some((one) => one.field === field))
    }
    assert.equal((await socket.ask({ type: 'ping' })).type, 'pong', 'none of it ends the connection')
  })

  test('is answered with its id', async () => {
    for (const id of [0, -5, 'x', '', 'x'.repeat(200), '\u{1f600}']) assert.deepEqual(await socket.ask({ type: 'ping', id }), { type: 'pong', id })
    errorOf(await socket.ask({ type: 'shout', id: 9 }), 'VALIDATION_ERROR', { request: 'shout', id: 9 })
    errorOf(await socket.ask({ type: 'subscribe', channel: 'run:x', id: 'q' }), 'NOT_FOUND', { request: 'subscribe', channel: 'run:x', id: 'q' })
  })

  test("does not find what is not there, or another account's", async () => {
    const mine = await tenant.draft()
    const theirs = await endedRun(other)
    const ask = async (channel) => {
      const { channel: named, ...answer } = errorOf(await socket.ask({ type: 'subscribe', channel }), 'NOT_FOUND', { request: 'subscribe', channel })
      return answer
    }
    const [run] = [await ask(`run:run_${unknown}`), await ask('run:x')]
    assert.deepEqual(await ask(theirs.channel), run)
    const project = await ask(`project:proj_${unknown}`)
    assert.deepEqual(await ask(`project:${theirs.project.id}`), project)
    errorOf(await socket.ask({ type: 'subscribe', channel: `project:${mine.id}`, after: { [theirs.run.id]: 0 } }), 'NOT_FOUND', { request: 'subscribe', channel: `project:${mine.id}` })
    errorOf(await socket.ask({ type: 'unsubscribe', channel: `run:run_${unknown}` }), 'NOT_FOUND', { request: 'unsubscribe', channel: `run:run_${unknown}` })
  })

  test('must be text, and not too long', async () => {
    const binary = await open(tenant)
    binary.ws.send(Buffer.from('{"type":"ping"}'), { binary: true })
    assert.equal((await binary.ended()).code, 1003)
    const long = await open(tenant)
    const padded = (bytes) => JSON.stringify({ type: 'ping', id: 1 }).padEnd(bytes)
    assert.deepEqual(await long.ask(padded(65536)), { type: 'pong', id: 1 })
    long.say(padded(65537))
    assert.equal((await long.ended()).code, 1009)
  })

  test('has at most a hundred channels', async () => {
    const many = await open(tenant)
    const projects = await Promise.all(Array.from({ length: 101 }, () => tenant.draft()))
    for (const project of projects.slice(0, 100)) assert.deepEqual((await many.subscribe(`project:${project.id}`)).after, {})
    const last = `project:${projects[100].id}`
    errorOf(await many.ask({ type: 'subscribe', channel: last }), 'CONFLICT', { request: 'subscribe', channel: last })
    assert.equal((await many.ask({ type: 'unsubscribe', channel: `project:${projects[0].id}` })).type, 'unsubscribed')
    await many.subscribe(last)
    errorOf(await many.ask({ type: 'subscribe', channel: last }), 'CONFLICT', { request: 'subscribe', channel: last })
    await many.close()
  })
})

describe('frames that no library sends', () => {
  const auth = () => frame(text, JSON.stringify({ type: 'auth', token: tenant.key }))
  const ends = async (bytes, code) => {
    const { status, frames } = await raw(server, Buffer.concat([auth(), bytes]))
    assert.equal(status, 101)
    assert.equal(JSON.parse(frames[0].text).type, 'authenticated', 'what came with the handshake is heard')
    assert.deepEqual([frames.at(-1).opcode, frames.at(-1).code], [8, code])
    return frames
  }

  test('break the rules, and end the connection', async () => {
    await ends(Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002) // not masked
    await ends(frame(0xc1, '{}'), 1002)
    await ends(frame(0x83, '{}'), 1002)
    await ends(frame(0x09, 'ping in fragments'), 1002)
    await ends(frame(0x89, 'x'.repeat(126)), 1002)
    await ends(frame(text, [0x22, 0xff, 0x22]), 1007)
    await ends(frame(0x88, [3]), 1002)
    await ends(frame(0x88, [0x03, 0xed]), 1002) // 1005
    await ends(frame(0x88, [0x03, 0xe8]), 1000)
  })

  test('bring a message in pieces, with a ping between them', async () => {
    const frames = await ends(Buffer.concat([frame(0x01, '{"type":'), frame(0x89, 'there?'), frame(0x00, '"ping",'), frame(0x80, '"id":"\u20ac"}'), frame(0x88, [0x03, 0xe8])]), 1000)
    assert.deepEqual(frames.slice(1, -1), [{ opcode: 10, text: 'there?' }, { opcode: 1, text: '{"type":"pong","id":"\u20ac"}' }])
  })

  test('half of a connection is closed after the last words', async () => {
    const { frames } = await raw(server, auth(), { then: (socket) => socket.end(frame(text, '{"type":"ping"}')) })
    assert.deepEqual(frames.map((one) => JSON.parse(one.text).type), ['authenticated', 'pong'])
  })
})

describe("a run's channel", () => {
  let ended, all
  before(async () => {
    ended = await endedRun(tenant)
    all = ended.events.map(told(ended.channel))
    assert.ok(isDense(ended.events.map(({ sequence }) => sequence)) && all.length >= 2)
  })

  test('tells everything, word for word, then that it is complete', async () => {
    const socket = await open(tenant)
    assert.deepEqual(await socket.subscribe(ended.channel), { type: 'subscribed', channel: ended.channel, after: 0 })
    const messages = await socket.until(({ type }) => type === 'complete')
    assert.deepEqual(messages, [...all, { type: 'complete', channel: ended.channel }])
    shape(messages[0], { type: 'event', channel: ended.channel, data: { id: is.id('evt'), runId: ended.run.id, taskId: is.orNull(is.id('task')), eventType: is.string, payload: is.object, timestamp: is.time, sequence: 1 } })
    // And with it the subscription: it can be had again.
    errorOf(await socket.ask({ type: 'unsubscribe', channel: ended.channel }), 'NOT_FOUND', { request: 'unsubscribe', channel: ended.channel })
    await socket.subscribe(ended.channel)
    assert.equal((await socket.until(({ type }) => type === 'complete')).length, all.length + 1)
    await socket.close()
  })

  test('goes on after what the client has had', async () => {
    const socket = await open(tenant)
    for (let last = 0; last <= all.length; last++) {
      const answer = await socket.ask({ type: 'subscribe', channel: ended.channel, after: last, id: last })
      assert.deepEqual(answer, { type: 'subscribed', channel: ended.channel, after: last, id: last })
      assert.deepEqual(await socket.until(({ type }) => type === 'complete'), [...all.slice(last), { type: 'complete', channel: ended.channel }])
    }
    for (const bad of [-1, 1.5, '1', {}, [], true, 2 ** 31]) {
      const answer = await socket.ask({ type: 'subscribe', channel: ended.channel, after: bad })
      assert.deepEqual([answer.type, answer.code], ['error', 'VALIDATION_ERROR'], JSON.stringify([bad, answer]))
    }
    await socket.close()
  })

  test('is named by the UUID form of the id, too', async () => {
    const socket = await open(tenant)
    const digits = '0123456789abcdefghjkmnpqrstvwxyz'
    const number = [...ended.run.id.slice(4)].reduce((sum, digit) => sum * 32n + BigInt(digits.indexOf(digit)), 0n)
    const uuid = number.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    assert.equal((await socket.ask({ type: 'subscribe', channel: `run:${uuid}` })).channel, ended.channel)
    await socket.close()
  })

  test('can be left, and taken up again, many at once', async () => {
    const project = await tenant.approvedProject()
    const run = await tenant.post(`/projects/${project.id}/runs`)
    const channel = `run:${run.id}`
    const socket = await open(tenant)
    await socket.subscribe(channel)
    await socket.subscribe(ended.channel)
    const seen = () => socket.heard.filter((message) => message.channel === channel && message.type === 'event').map(({ data }) => data)
    const left = await socket.ask({ type: 'unsubscribe', channel, id: 'x' })
    assert.deepEqual(left, { type: 'unsubscribed', channel, after: seen().length, id: 'x' })
    await tenant.post(`/projects/${project.id}/runs/${run.id}/cancel`)
    await tenant.finished(project.id, run.id)
    const events = (await tenant.events(project.id, run.id)).map(told(channel))
    await socket.subscribe(channel, left.after)
    await socket.until((message) => message.type === 'complete' && message.channel === channel)
    assert.deepEqual(seen(), events.map(({ data }) => data))
    assert.deepEqual(socket.heard.filter((message) => message.channel === ended.channel && message.type === 'event'), all, 'the other channel beside it, too')
    await socket.close()
  })
})

describe("a project's channel", () => {
  test('tells of one run after the other, those that begin later included', async () => {
    const project = await tenant.approvedProject()
    const channel = `project:${project.id}`
    const socket = await open(tenant)
    assert.deepEqual(await socket.subscribe(channel), { type: 'subscribed', channel, after: {} })
    const runs = []
    for (let i = 0; i < 3; i++) {
      const run = await tenant.post(`/projects/${project.id}/runs`)
      await tenant.post(`/projects/${project.id}/runs/${run.id}/cancel`)
      await tenant.finished(project.id, run.id)
      runs.push(run.id)
    }
    const expected = []
    for (const run of runs) expected.push(...(await tenant.events(project.id, run)).map(told(channel)))
    const isLast = ({ data }) => data?.runId === runs[2] && data.eventType === 'RUN_COMPLETED'
    assert.deepEqual(await socket.until(isLast), expected)

    // From anywhere: from nothing, amid a run, at the end of one.
    const again = await open(tenant)
    for (let had = 0; had < expected.length; had++) {
      const last = expected[had - 1]?.data
      const after = last ? { [last.runId]: last.sequence } : {}
      assert.deepEqual((await again.subscribe(channel, after)).after, after)
      assert.deepEqual(await again.until(isLast), expected.slice(had))
      assert.equal((await again.ask({ type: 'unsubscribe', channel })).type, 'unsubscribed')
    }
    await again.close()
    // Without a word of where from: from now on, which is told.
    const late = await open(tenant)
    assert.deepEqual((await late.subscribe(channel)).after, { [runs[2]]: expected.at(-1).data.sequence })
    const left = await late.ask({ type: 'unsubscribe', channel })
    assert.deepEqual(left, { type: 'unsubscribed', channel, after: { [runs[2]]: expected.at(-1).data.sequence } })
    for (const bad of [0, 'x', [], { x: 1 }, { [runs[0]]: -1 }, { [runs[0]]: 1, [runs[1]]: 1 }]) {
      const answer = await late.ask({ type: 'subscribe', channel, after: bad })
      assert.deepEqual([answer.type, answer.code, answer.details.field], ['error', 'VALIDATION_ERROR', 'after'], JSON.stringify(bad))
    }
    await late.close()
    await socket.close()
  })
})

describe('rates', () => {
  let limited
  before(async () => {
    limited = await Server.start({ args: ['--workers', '0', '--rate-limit', 'on'] })
  })
  after(() => limited.remove())

  test('count messages with the requests of the account', async () => {
    const free = await limited.tenant('free')
    const socket = await open(free) // the first of sixty
    for (let i = 0; i < 20; i++) assert.equal((await socket.ask({ type: 'ping' })).type, 'pong')
    const answer = await free.call('GET', '/auth/me')
    assert.equal(Number(answer.headers.get('x-ratelimit-remaining')), 60 - 21 - 1)
    const second = await connect(limited, { authorization: `Bearer ${free.key}` })
    assert.equal((await second.next()).type, 'authenticated')
    const said = []
    for (let i = 0; i < 60; i++) said.push(await second.ask({ type: 'ping', id: i }))
    assert.equal(said.filter(({ type }) => type === 'pong').length, 60 - 23)
    const late = errorOf(said.at(-1), 'RATE_LIMITED', { request: 'ping', id: 59, details: { limit: 60 } })
    assert.ok(late.details.retryAfterSeconds > 0 && late.details.retryAfterSeconds <= 60)
    refused(await free.call('GET', '/auth/me'), 429)
    refused(await connect(limited, { authorization: `Bearer ${free.key}` }), 429)
    // Whoever does not stop is cut off.
    for (let i = 0; i < 100; i++) second.say({ type: 'ping' })
    assert.equal((await second.ended()).code, 4429)
    await socket.close()
  })

  test('count what nobody says with the address', async () => {
    const socket = await connect(limited)
    for (let i = 0; i < 420; i++) socket.say({ type: 'subscribe', channel: 'run:x' })
    const answers = await socket.until(() => false)
    assert.ok(answers.filter(({ code }) => code === 'UNAUTHORIZED').length < 300)
    assert.equal(answers.filter(({ code }) => code === 'RATE_LIMITED').length, 100)
    assert.equal((await socket.ended()).code, 4429)
  })
})

test('the server says goodbye when it stops', async () => {
  const short = await Server.start({ args: ['--workers', '0'] })
  const socket = await open(short)
  const [{ code, reason }] = await Promise.all([socket.ended(), short.stop()])
  assert.deepEqual([code, reason], [1001, 'the server stops'])
  await short.remove()
})

test('the metrics count them', async () => {
  const socket = await open(tenant)
  const value = async () => Number(/^prazium_http_websockets (\d+)$/m.exec(await (await server.fetch('/metrics')).text())[1])
  assert.ok((await value()) >= 1)
  await socket.close()
  await until('no WebSocket is open', 20, async () => (await value()) === 0)
})
