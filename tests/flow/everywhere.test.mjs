// everywhere: the refusals that every operation shares, asked of each operation that documents them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { operationsOf, printedDocument } from '../contract/document.mjs'
import { pathWithout } from '../contract/schema.mjs'
import { Server } from './lib.mjs'
import { tell } from './record.mjs'

const document = printedDocument()
const operations = operationsOf(document)
const documents = (status) => operations.filter(({ operation }) => operation.responses[status])

let server
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
})
after(() => server.remove())

// One request with these header lines; a body is promised and not sent, unless it is short.
async function ask({ path, method, parameters }, lines, { query = '', body = '' } = {}) {
  const address = pathWithout(document, path, parameters) + query
  const head = [`${method.toUpperCase()} ${address} HTTP/1.1`, 'Host: flow', `Authorization: Bearer ${server.key}`, ...lines, 'Connection: close']
  const answer = await server.raw(`${head.join('\r\n')}\r\n\r\n${body}`)
  tell(method.toUpperCase(), address, answer.status)
  return answer
}

function isRefusal(answer, status, { path, method }) {
  const what = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`
  assert.equal(answer.status, status, what)
  assert.equal(answer.body.success, false, what)
  assert.ok(answer.body.error.message, what)
  assert.equal(answer.body.error.details.requestId, answer.headers.get('x-request-id') ?? undefined, what)
}

const json = 'Content-Type: application/json'

describe('what every operation refuses', () => {
  for (const [status, lines, more] of [
    [413, [json, 'Content-Length: 1099511627776']],
    [414, [], { query: `?${'x'.repeat(9000)}` }],
    [415, ['Content-Type: text/plain', 'Content-Length: 2'], { body: '{}' }],
    [417, ['Expect: a-miracle']],
    [431, [`X-Long: ${'x'.repeat(13 * 1024)}`]],
  ]) {
    test(String(status), async () => {
      const all = documents(status)
      assert.ok(all.length > 0)
      // A GET takes no body: what it documents as too large is its answer.
      for (const one of all.filter(({ method, operation }) => status !== 413 || operation.requestBody || method !== 'get')) {
        isRefusal(await ask(one, lines, more), status, one)
      }
    })
  }

  test('404, of ids that name nothing', async () => {
    for (const one of documents(404).filter(({ path }) => path.includes('{'))) {
      const { operation, method, path, parameters } = one
      const content = operation.requestBody?.content?.['application/json']
      const needed = parameters.filter((given) => given.in === 'query' && given.required).map((given) => `${given.name}=${given.schema.enum?.[0] ?? 'x'}`)
      const address = pathWithout(document, path, parameters) + (needed.length ? `?${needed.join('&')}` : '')
      const answer = await server.call(method.toUpperCase(), address.slice(3), content ? content.example : undefined)
      isRefusal(answer, 404, one)
    }
  })

  // What is another account's is answered as what is not there, to the last byte of body and headers.
  test('404, of ids of another account', async () => {
    const mine = await server.draft()
    const key = await server.post('/api-keys', { name: 'Mine' })
    const webhook = await server.post('/webhooks', { url: 'https://example.org/hook' })
    const tenant = await server.tenant()
    const foreign = { projectId: mine.id, keyId: key.id, webhookId: webhook.id }
    let asked = 0
    for (const one of documents(404)) {
      const { operation, method, path, parameters } = one
      const named = Object.keys(foreign).find((name) => path.includes(`{${name}}`))
      if (!named) continue
      const needed = parameters.filter((given) => given.in === 'query' && given.required).map((given) => `${given.name}=${given.schema.enum?.[0] ?? 'x'}`)
      const address = (at) => pathWithout(document, at, parameters) + (needed.length ? `?${needed.join('&')}` : '')
      const body = operation.requestBody?.content?.['application/json']?.example
      const answers = []
      for (const at of [path.replace(`{${named}}`, foreign[named]), path]) {
        const answer = await tenant.call(method.toUpperCase(), address(at).slice(3), body, { 'x-request-id': 'the-same' })
        isRefusal(answer, 404, one)
        answers.push({ text: answer.text, headers: [...answer.headers].filter(([name]) => name !== 'date') })
      }
      assert.deepEqual(answers[0], answers[1], `${method} ${path}`)
      asked++
    }
    assert.ok(asked > 25, `${asked} operations`)
    assert.deepEqual(await server.get(`/projects/${mine.id}`).then(({ name, status }) => [name, status]), [mine.name, mine.status])
    assert.ok((await server.get('/api-keys')).some(({ id }) => id === key.id))
    assert.ok((await server.get('/webhooks')).some(({ id }) => id === webhook.id))
  })

  test('403, of a suspended account, and of other sites', async () => {
    const tenant = await server.tenant()
    await server.answer('PATCH', `/admin/accounts/${tenant.account.id}`, { status: 'suspended' })
    for (const one of documents(403)) {
      const { operation, method, path, parameters } = one
      const isOpen = operation.security.length === 0
      const body = operation.requestBody?.content?.['application/json']?.example
      const answer = await server.fetch(pathWithout(document, path, parameters), {
        method: method.toUpperCase(),
        headers: { authorization: isOpen ? undefined : `Bearer ${tenant.key}`, 'content-type': 'application/json', 'sec-fetch-site': isOpen ? 'cross-site' : undefined, 'x-forwarded-for': '192.0.2.1' },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await answer.text()
      isRefusal({ status: answer.status, text, body: JSON.parse(text), headers: answer.headers }, 403, one)
    }
  })

  // Each waits for the rest of its body as long as slow senders have; all at once.
  test('408, when the body does not come', { timeout: 60_000 }, async () => {
    const all = documents(408)
    const answers = await Promise.all(all.map((one) => ask(one, [json, 'Content-Length: 100'], { body: '{"name"' })))
    answers.forEach((answer, i) => isRefusal(answer, 408, all[i]))
  })
})
