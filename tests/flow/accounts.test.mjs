// accounts: users register and log in, keys are made and revoked, administrators look after accounts, and nobody sees what is
// another's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { operationsOf, printedDocument } from '../contract/document.mjs'
import { pathWithout } from '../contract/schema.mjs'
import { is, page, refused, shape, success, unspent } from './expect.mjs'
import { binary, cleanEnv, Server, until } from './lib.mjs'

let server
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
})
after(() => server.remove())

const nobody = { authorization: undefined }
const password = 'correct horse battery staple'
let number = 0
const address = () => `user-${process.pid}-${number++}@example.org`

const user = { id: is.id('user'), email: is.string, name: is.string, role: 'member', createdAt: is.time }
const account = { id: is.id('acct'), name: is.string, tier: 'free', createdAt: is.time }
const apiKey = { id: is.id('key'), name: is.string, role: 'member', hint: is.matching(/^[0-9a-z]{4}$/), createdAt: is.time, lastUsedAt: is.orNull(is.time), expiresAt: is.orNull(is.time), revokedAt: is.orNull(is.time) }

function cookieOf(answer) {
  const [pair, ...attributes] = answer.headers.get('set-cookie').split('; ')
  return { pair, token: pair.split('=')[1], attributes }
}

// A user with a session: {email, cookie, call}.
async function registered() {
  const email = address()
  const answer = await server.call('POST', '/auth/register', { email, password }, nobody)
  success(answer, 201)
  const { pair } = cookieOf(answer)
  return { email, cookie: pair, call: (method, path, body, headers) => server.call(method, path, body, { ...nobody, cookie: pair, ...headers }) }
}

describe('POST /auth/register', () => {
  test('makes a free account with a member, and a session', async () => {
    const answer = await server.call('POST', '/auth/register', { email: ' Ada@Example.ORG ', password, name: 'Ada', accountName: 'Engines' }, nobody)
    const data = success(answer, 201)
    shape(data, { user, account, apiKey: null })
    assert.deepEqual([data.user.email, data.user.name, data.account.name], ['ada@example.org', 'Ada', 'Engines'])
    const { token, attributes } = cookieOf(answer)
    assert.match(token, /^[0-9a-f]{64}$/)
    assert.deepEqual(attributes, ['Path=/', 'Max-Age=2592000', 'HttpOnly', 'SameSite=Lax'])
    refused(await server.call('POST', '/auth/register', { email: 'ADA@example.org', password }, nobody), 409, 'email')
  })

  test('the cookie is for TLS alone where a proxy that is believed says that TLS is', async (t) => {
    const behind = await Server.start({ args: ['--workers', '0', '--behind-proxy', 'on'] })
    t.after(() => behind.remove())
    const isSecure = async (from, headers) => {
      const answer = await from.call('POST', '/auth/register', { email: address(), password }, { ...nobody, ...headers })
      return cookieOf(answer).attributes.includes('Secure')
    }
    assert.ok(await isSecure(behind, { 'x-forwarded-proto': 'https' }))
    assert.ok(await isSecure(behind, { 'x-forwarded-proto': 'http, https' }), 'the last is what the proxy added')
    assert.ok(!(await isSecure(behind, { 'x-forwarded-proto': 'https, http' })))
    assert.ok(!(await isSecure(behind, {})))
    assert.ok(!(await isSecure(server, { 'x-forwarded-proto': 'https' })), 'nobody is believed without being named')
  })

  test('behind a proxy guesses are counted for the address that it names', async (t) => {
    const behind = await Server.start({ args: ['--workers', '0', '--behind-proxy', 'on'] })
    t.after(() => behind.remove())
    const guess = async (address_) => (await behind.call('POST', '/auth/login', { email: address(), password }, { ...nobody, 'x-forwarded-for': address_ })).status
    const guesses = async (address_) => new Set(await Promise.all(Array.from({ length: 11 }, () => guess(address_))))
    assert.ok((await guesses('198.51.100.7, 203.0.113.5')).has(429))
    assert.equal(await guess('203.0.113.5'), 429, 'what the client itself wrote before it is no matter')
    assert.equal(await guess('203.0.113.6'), 401)
    assert.equal(await guess('203.0.113.5, 2001:db8::1'), 401)
    assert.equal(await guess('203.0.113.5, no address'), 401, 'counted for the proxy')
  })

  test('refuses what is no address and what is no password', async () => {
    for (const email of ['ada', 'ada@', '@example.org', 'ada@example', 'a b@example.org', 'ada@example.org.']) {
      refused(await server.call('POST', '/auth/register', { email, password }, nobody), 400, 'email')
    }
    const answer = await server.call('POST', '/auth/register', { email: 'x', password: 'short', colour: 1 }, nobody)
    assert.deepEqual(answer.body.error.details.fields.map(({ field }) => field), ['colour', 'email', 'password'])
  })

  test('one of many at once', async () => {
    const email = address()
    const answers = await Promise.all(Array.from({ length: 6 }, () => server.call('POST', '/auth/register', { email, password }, nobody)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409])
  })

  test('can be switched off', async (t) => {
    const closed = await Server.start({ args: ['--workers', '0', '--registration', 'off'] })
    t.after(() => closed.remove())
    refused(await closed.call('POST', '/auth/register', { email: address(), password }, nobody), 403)
    const made = await closed.post('/admin/accounts', { name: 'Made', email: 'made@example.org', password })
    assert.equal(made.user.email, 'made@example.org')
    success(await closed.call('POST', '/auth/login', { email: 'made@example.org', password }, nobody))
  })
})

describe('POST /auth/login', () => {
  test('opens what is the account\'s', async () => {
    const { email } = await registered()
    const answer = await server.call('POST', '/auth/login', { email: email.toUpperCase(), password }, nobody)
    shape(success(answer), { user, account, apiKey: null })
    const cookie = cookieOf(answer).pair
    const me = success(await server.call('GET', '/auth/me', undefined, { ...nobody, cookie }))
    assert.equal(me.user.email, email)
    success(await server.call('POST', '/projects', { name: 'Mine', description: 'An app.' }, { ...nobody, cookie }), 201)
    page(await server.call('GET', '/projects', undefined, { ...nobody, cookie }), { total: 1 })
  })

  test('says the same of a wrong user and a wrong password', async () => {
    const { email } = await registered()
    const texts = []
    for (const body of [{ email, password: 'wrong password' }, { email: address(), password }]) {
      const answer = await server.call('POST', '/auth/login', body, { ...nobody, 'x-request-id': 'the-same' })
      refused(answer, 401)
      assert.equal(answer.headers.get('set-cookie'), null)
      texts.push(answer.text)
    }
    assert.equal(texts[0], texts[1])
  })

  test('ten tries a minute for an address, also at once; success is no try', async () => {
    const other = await Server.start({ args: ['--workers', '0'] })
    try {
      const email = address()
      success(await other.call('POST', '/auth/register', { email, password }, nobody), 201)
      for (let i = 0; i < 12; i++) success(await other.call('POST', '/auth/login', { email, password }, nobody))
      const answers = await Promise.all(Array.from({ length: 14 }, () => other.call('POST', '/auth/login', { email, password: 'guess' }, nobody)))
      assert.deepEqual([401, 429].map((status) => answers.filter((answer) => answer.status === status).length), [10, 4])
      const late = await other.call('POST', '/auth/login', { email, password }, nobody)
      const error = refused(late, 429)
      assert.equal(error.details.limit, 10)
      assert.ok(Number(late.headers.get('retry-after')) <= 60)
      refused(await other.call('POST', '/auth/register', { email: address(), password }, nobody), 429)
    } finally {
      await other.remove()
    }
  })
})

describe('a session', () => {
  test('ends with POST /auth/logout', async () => {
    const me = await registered()
    const answer = await me.call('POST', '/auth/logout')
    assert.deepEqual(success(answer), { loggedOut: true })
    assert.match(answer.headers.get('set-cookie'), /^prazium_session=; Path=\/; Max-Age=0;/)
    refused(await me.call('GET', '/auth/me'), 401)
    success(await me.call('POST', '/auth/logout'))
  })

  test('authorises no write of another site', async () => {
    const me = await registered()
    const write = (headers) => me.call('POST', '/projects', { name: 'x', description: 'y' }, headers)
    refused(await write({ 'sec-fetch-site': 'cross-site' }), 403)
    refused(await write({ 'sec-fetch-site': 'same-site' }), 403)
    refused(await write({ origin: 'https://evil.example' }), 403)
    refused(await write({ origin: 'null' }), 403)
    success(await write({ 'sec-fetch-site': 'same-origin', origin: server.url }), 201)
    success(await me.call('GET', '/projects', undefined, { 'sec-fetch-site': 'cross-site' }).then((answer) => ({ ...answer, body: { success: true, data: answer.body.data } })))
    for (const path of ['/auth/login', '/auth/register', '/auth/logout']) {
      refused(await me.call('POST', path, path.endsWith('logout') ? undefined : { email: address(), password }, { 'sec-fetch-site': 'cross-site' }), 403)
    }
  })

  test('counts for nothing beside a key, and must be one', async () => {
    refused(await server.call('GET', '/auth/me', undefined, { ...nobody, cookie: `prazium_session=${'0'.repeat(64)}` }), 401)
    refused(await server.call('GET', '/auth/me', undefined, { ...nobody, cookie: 'prazium_session=x' }), 401)
    const me = success(await server.call('GET', '/auth/me', undefined, { cookie: (await registered()).cookie }))
    assert.equal(me.user, null)
    assert.equal(me.apiKey.role, 'admin')
  })
})

describe('API keys', () => {
  test('are made, shown once, listed and revoked', async () => {
    const me = await registered()
    const made = success(await me.call('POST', '/api-keys', { name: 'ci', expiresAt: '2099-01-01T00:00:00Z' }), 201)
    shape(made, { ...apiKey, key: is.matching(/^pzm_[0-9a-hjkmnp-tv-z]{38}$/) })
    assert.equal(made.hint, made.key.slice(-4))
    const mine = server.as(made.key)
    assert.equal((await mine.get('/auth/me')).apiKey.id, made.id)
    const [row] = page(await me.call('GET', '/api-keys'), { total: 1 })
    shape(row, apiKey)
    await until('its use is noted', 10, async () => (await me.call('GET', '/api-keys')).body.data[0].lastUsedAt)
    assert.deepEqual(success(await me.call('DELETE', `/api-keys/${made.id}`)), { id: made.id, status: 'revoked' })
    refused(await mine.call('GET', '/auth/me'), 401)
    assert.ok(is.time((await me.call('GET', '/api-keys')).body.data[0].revokedAt))
  })

  test('of administrators are made by them alone; none begins in the past', async () => {
    const me = await registered()
    refused(await me.call('POST', '/api-keys', { name: 'x', role: 'admin' }), 403, 'role')
    refused(await me.call('POST', '/api-keys', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }), 400, 'expiresAt')
    const admin = await server.post('/api-keys', { name: 'second', role: 'admin' })
    assert.ok((await server.as(admin.key).get('/admin/accounts')).length > 0)
  })

  test('expire', async () => {
    const made = await server.post('/api-keys', { name: 'brief', expiresAt: new Date(Date.now() + 1500).toISOString() })
    const brief = server.as(made.key)
    assert.equal((await brief.call('GET', '/auth/me')).status, 200)
    await until('it expired', 10, async () => (await brief.call('GET', '/auth/me')).status === 401)
  })
})

describe('accounts, for administrators', () => {
  test('are made, listed, changed', async () => {
    const email = address()
    const made = await server.post('/admin/accounts', { name: 'Engines', tier: 'pro', email, password, role: 'admin' })
    shape(made, { id: is.id('acct'), name: 'Engines', tier: 'pro', status: 'active', users: 1, projects: 0, limits: { costUsdPerMonth: null, tokensPerMonth: null }, usage: unspent, createdAt: is.time, user: { ...user, role: 'admin' }, apiKey: { ...apiKey, key: is.string } })
    const rows = (await server.call('GET', '/admin/accounts?pageSize=100')).body
    shape(rows.data.find(({ id }) => id === made.id), { id: made.id, name: 'Engines', tier: 'pro', status: 'active', users: 1, projects: 0, limits: { costUsdPerMonth: null, tokensPerMonth: null }, usage: unspent, createdAt: made.createdAt })
    assert.equal(rows.pagination.total, rows.data.length)
    const changed = await server.answer('PATCH', `/admin/accounts/${made.id}`, { tier: 'enterprise', name: 'Big' })
    assert.deepEqual([changed.tier, changed.name, changed.users], ['enterprise', 'Big', 1])
    refused(await server.call('POST', '/admin/accounts', { name: 'x', email, password }), 409, 'email')
    refused(await server.call('POST', '/admin/accounts', { name: 'x', email: address() }), 400, 'password')
    refused(await server.call('POST', '/admin/accounts', { name: 'x', password }), 400, 'email')
    refused(await server.call('PATCH', `/admin/accounts/${made.id}`, {}), 400, 'name')
    refused(await server.call('PATCH', '/admin/accounts/acct_01h455vb4pex5vsknk084sn02q', { tier: 'pro' }), 404)
  })

  test('are suspended and come back', async () => {
    const tenant = await server.tenant()
    const email = address()
    const { id } = tenant.account
    assert.equal((await tenant.call('GET', '/projects')).status, 200)
    await server.answer('PATCH', `/admin/accounts/${id}`, { status: 'suspended' })
    refused(await tenant.call('GET', '/projects'), 403)
    await server.answer('PATCH', `/admin/accounts/${id}`, { status: 'active' })
    assert.equal((await tenant.call('GET', '/projects')).status, 200)
    const own = await server.get('/auth/me')
    refused(await server.call('PATCH', `/admin/accounts/${own.account.id}`, { status: 'suspended' }), 409, 'status')
    const made = await server.post('/admin/accounts', { name: 'x', email, password })
    await server.answer('PATCH', `/admin/accounts/${made.id}`, { status: 'suspended' })
    refused(await server.call('POST', '/auth/login', { email, password }, nobody), 403)
  })

  test('are no business of members', async () => {
    const member = await server.tenant()
    for (const { path, method, operation, parameters } of operationsOf(printedDocument())) {
      if (!path.startsWith('/v1/admin/')) continue
      const body = operation.requestBody?.content['application/json'].example
      refused(await member.call(method.toUpperCase(), pathWithout(printedDocument(), path, parameters).slice(3), body), 403)
    }
  })

  test('from the command line', async () => {
    const run = (args, input) => spawnSync(binary, ['account', ...args, '--data', server.data], { env: cleanEnv, encoding: 'utf8', input })
    const email = address()
    const made = run(['create', '--name', 'Shell', '--tier', 'pro', '--email', email], `${password}\n`)
    assert.equal(made.status, 0, made.stderr)
    const [id, key] = made.stdout.trim().split('\n')
    assert.equal((await server.as(key).get('/auth/me')).account.id, id)
    success(await server.call('POST', '/auth/login', { email, password }, nobody))
    assert.match(run(['list']).stdout, new RegExp(`${id} +pro +active`))
    assert.equal(run(['suspend', id]).status, 0)
    refused(await server.as(key).call('GET', '/projects'), 403)
    assert.equal(run(['resume', id]).status, 0)
    assert.equal(run(['set', id, '--tier', 'free']).status, 0)
    assert.equal((await server.as(key).get('/auth/me')).account.tier, 'free')
    assert.equal(run(['set', 'acct_none', '--tier', 'free']).status, 4)
    assert.equal(run(['create', '--name', 'x', '--email', address()], 'short\n').status, 2)
    const made2 = spawnSync(binary, ['key', 'create', '--account', id, '--data', server.data], { env: cleanEnv, encoding: 'utf8' })
    assert.equal((await server.as(made2.stdout.trim()).get('/auth/me')).account.id, id)
  })
})

// Ids of another account answer as ids that never were, on every path that takes one.
test("what is another's is not there, byte for byte", async () => {
  const document = printedDocument()
  const project = await server.draft()
  const other = await server.tenant()
  const mine = { projectId: project.id, accountId: (await server.get('/auth/me')).account.id, keyId: (await server.get('/auth/me')).apiKey.id }
  for (const { path, method, operation, parameters } of operationsOf(document)) {
    const names = parameters.filter((one) => one.in === 'path').map((one) => one.name)
    if (!names.some((name) => mine[name]) || path.startsWith('/v1/admin/')) continue
    const content = operation.requestBody?.content?.['application/json']
    const query = parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=${one.schema.enum?.[0] ?? 'x'}`).join('&')
    const unknown = pathWithout(document, path, parameters)
    const known = pathWithout(document, path.replace(/\{(\w+)\}/g, (all, name) => mine[name] ?? all), parameters)
    const answers = []
    for (const address of [known, unknown]) {
      const answer = await other.call(method.toUpperCase(), address.slice(3) + (query && `?${query}`), content?.example, { 'x-request-id': 'the-same' })
      answers.push({ status: answer.status, text: answer.text, headers: [...answer.headers].filter(([name]) => name !== 'date') })
    }
    assert.equal(answers[0].status, 404, `${method} ${path}: ${answers[0].text}`)
    assert.deepEqual(answers[0], answers[1], `${method} ${path}`)
  }
})
