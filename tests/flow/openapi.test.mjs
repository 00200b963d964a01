// openapi: the document is what is served, a linter finds nothing, and the server does what it says.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { methods, operationsOf, printedDocument, resolved } from '../contract/document.mjs'
import { rendered } from '../contract/dom.mjs'
import { accepted, pathWithout, refusedInBody, refusedInQuery } from '../contract/schema.mjs'
import { refused } from './expect.mjs'
import { binary, cleanEnv, Server } from './lib.mjs'

const document = printedDocument()
const operations = operationsOf(document)
const tools = new URL('../contract/', import.meta.url).pathname

let server, memberKey
before(async () => {
  server = await Server.start({ args: ['--workers', '0'] })
  memberKey = execFileSync(binary, ['key', 'create', '--data', server.data], { env: cleanEnv, encoding: 'utf8' }).trim()
})
after(() => server.remove())

const nobody = { authorization: undefined }

// As Server.call, for a path as the document has it. Streams are not waited for.
async function ask(method, path, { body, headers = {}, key = server.key } = {}) {
  const options = { method: method.toUpperCase(), headers: { authorization: key && `Bearer ${key}`, ...headers } }
  if (body !== undefined) {
    options.body = JSON.stringify(body)
    options.headers['content-type'] = 'application/json'
  }
  const response = await server.fetch(path, options)
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : text }
}

const faultsOf = (answer) => (answer.status === 400 ? answer.body.error.details.fields.map(({ field }) => field) : [])
const isAbout = (field, name) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`)

describe('GET /v1/openapi.json', () => {
  test('needs no key, and is what the command prints', async () => {
    const answer = await ask('get', '/v1/openapi.json', { key: undefined })
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type'), /^application\/json/)
    assert.deepEqual(answer.body, document)
    assert.match(document.openapi, /^3\.1\./)
    assert.equal(document.info.version, '1.0.0')
  })

  test('has a tag that changes only with it', async () => {
    const { headers } = await ask('get', '/v1/openapi.json')
    const again = await ask('get', '/v1/openapi.json', { headers: { 'if-none-match': headers.get('etag') } })
    assert.deepEqual([again.status, again.text], [304, ''])
    assert.equal((await ask('get', '/v1/openapi.json', { headers: { 'if-none-match': '"other"' } })).status, 200)
  })

  test('is lint clean', async (t) => {
    const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-lint-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'openapi.json')
    writeFileSync(file, JSON.stringify(document, null, 1))
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const args = [`${tools}node_modules/@redocly/cli/bin/cli.js`, 'lint', file, '--config', `${tools}redocly.yaml`, '--format', 'json', '--max-problems', '1000']
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1 << 26, timeout: 60_000 }).catch((error) => error)
    const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')))
    const found = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location?.[0]?.pointer}`)
    assert.deepEqual(found, [])
    assert.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 })
  })
})

describe('GET /docs', () => {
  test('is one page that fetches nothing from elsewhere', async () => {
    const { status, headers, text } = await ask('get', '/docs', { key: undefined })
    assert.equal(status, 200)
    assert.match(headers.get('content-type'), /^text\/html; charset=utf-8/)
    assert.doesNotMatch(text, /(src|href)="(?!#|data:|\/)|@import|url\((?!#|data:)/)
    const policy = headers.get('content-security-policy')
    assert.match(policy, /^default-src 'none'; connect-src 'self'; /)
    assert.doesNotMatch(policy, /unsafe|\*/)
    for (const tag of ['style', 'script']) {
      const [inner, ...more] = [...text.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map((match) => match[1])
      assert.equal(more.length, 0)
      assert.ok(policy.includes(`${tag}-src 'sha256-${createHash('sha256').update(inner).digest('base64')}'`), `${tag} is allowed`)
    }
    assert.doesNotMatch(text, / on\w+=|style=/, 'what the policy would not allow')
  })

  test('shows every operation and schema, found by search', async () => {
    const { text } = await ask('get', '/docs')
    const { main, contents, search, state } = await rendered(text, document)
    assert.notEqual(state.className, 'failed', state.textContent)
    const sections = main.querySelectorAll('section')
    const ids = sections.map((section) => section.getAttribute('id'))
    const messages = Object.keys(document.webhooks ?? {}).map((name) => `message-${name}`)
    const expected = [...operations.map(({ operation }) => operation.operationId), ...messages, ...Object.keys(document.components.schemas).map((name) => `schema-${name}`)]
    assert.deepEqual(ids.toSorted(), expected.toSorted())
    const links = () => contents.querySelectorAll('li').filter((item) => !item.hidden).map((item) => item.querySelector('a').getAttribute('href').slice(1))
    assert.deepEqual(links().toSorted(), expected.toSorted())
    for (const { operation, path } of operations) {
      const shown = sections.find((section) => section.getAttribute('id') === operation.operationId).text
      for (const part of [operation.summary, path, 'curl', ...Object.keys(operation.responses)]) assert.ok(shown.includes(part), `${operation.operationId} shows ${part}`)
    }
    search.value = 'clarify'
    search.listeners.input()
    assert.deepEqual(links(), ['clarifyProject'])
  })

  test('unfolds what is within schemas', async () => {
    const { text } = await ask('get', '/docs')
    const { main } = await rendered(text, document)
    const fold = main.nodes.filter((node) => node.tag === 'details')
    assert.ok(fold.length > 100)
    for (const details of fold) details.listeners.toggle?.()
    assert.match(main.text, /verificationResult/)
    assert.doesNotMatch(main.text, /undefined|\[object/)
  })

  test('has a tag', async () => {
    const { headers } = await ask('get', '/docs')
    assert.equal((await ask('get', '/docs', { headers: { 'if-none-match': headers.get('etag') } })).status, 304)
  })
})

describe('every path', () => {
  for (const [path, item] of Object.entries(document.paths)) {
    test(path, async () => {
      const concrete = pathWithout(document, path, (item.parameters ?? []).map((one) => resolved(document, one)))
      const documented = methods.filter((method) => item[method]).map((method) => method.toUpperCase())
      const expected = [...documented, 'OPTIONS', ...(documented.includes('GET') ? ['HEAD'] : [])].sort()
      const options = await ask('options', concrete)
      assert.equal(options.status, 204)
      assert.deepEqual(options.headers.get('allow').split(', ').sort(), expected)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !documented.includes(one))) {
        refused(await ask(method, concrete), 405)
      }
    })
  }
})

describe('every operation', () => {
  for (const { path, method, operation, parameters } of operations) {
    const concrete = pathWithout(document, path, parameters)
    const isOpen = operation.security.length === 0 || operation.security.some((one) => Object.keys(one).length === 0)
    const isForAdmins = /For administrators\.$/.test(operation.description ?? '') && !isOpen
    const query = parameters.filter((one) => one.in === 'query')
    const content = resolved(document, operation.requestBody)?.content['application/json']
    const needed = query.filter((one) => one.required).map((one) => `${encodeURIComponent(one.name)}=${encodeURIComponent(accepted(document, one.schema))}`)
    const withQuery = (...pairs) => `${concrete}${needed.length + pairs.length ? '?' : ''}${[...needed, ...pairs].join('&')}`

    describe(operation.operationId, () => {
      test(isOpen ? 'needs no key' : 'needs a key', async () => {
        const { status, body } = await ask(method, withQuery(), { headers: nobody, key: undefined })
        assert.notEqual(status, 405)
        if (!isOpen) assert.equal(status, 401)
        else assert.notEqual(body?.error?.message, 'There is nothing here')
        if (isForAdmins) refused(await ask(method, withQuery(), { key: memberKey }), 403)
      })

      test('is refused with a parameter that is not documented', async () => {
        const answer = await ask(method, withQuery('surplus=1'))
        refused(answer, 400, 'surplus')
        assert.deepEqual(faultsOf(answer).filter((field) => field !== 'body'), ['surplus'])
      })

      for (const { name, schema } of query) {
        test(`takes the parameter ${name}`, async () => {
          const pair = (value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
          const others = needed.filter((one) => !one.startsWith(`${encodeURIComponent(name)}=`))
          const address = (value) => `${concrete}?${[...others, pair(value)].join('&')}`
          const it = resolved(document, schema)
          for (const value of it.enum ?? [accepted(document, schema), it.minimum, it.maximum].filter((one) => one !== undefined)) {
            const answer = await ask(method, address(value))
            assert.ok(!faultsOf(answer).includes(name), `${name}=${value}: ${answer.text}`)
          }
          for (const value of refusedInQuery(document, schema)) {
            const answer = await ask(method, address(value))
            assert.ok(faultsOf(answer).includes(name), `${name}=${value} is accepted: ${answer.status} ${answer.text.slice(0, 200)}`)
          }
        })
      }

      if (content) testBody(method, withQuery(), resolved(document, operation.requestBody), content)
    })
  }
})

function testBody(method, path, requestBody, { schema, example }) {
  const properties = Object.entries(schema.properties)
  const valid = example ?? accepted(document, schema)

  test('takes its example', async () => {
    const { status, text } = await ask(method, path, { body: valid })
    assert.ok(![400, 413, 415, 500].includes(status), `${status} ${text}`)
  })

  test('requires what is required', async () => {
    const answer = await ask(method, path, { body: {} })
    const faults = faultsOf(answer)
    for (const name of schema.required ?? []) assert.ok(faults.includes(name), `${name} is not missed: ${answer.text}`)
    if (requestBody.required) refused(await ask(method, path), 400, 'body')
    else assert.ok(!faultsOf(await ask(method, path)).includes('body'))
  })

  test('is refused with members that are not documented', async () => {
    const answer = await ask(method, path, { body: { ...valid, surplus: 1 } })
    assert.deepEqual([answer.status, faultsOf(answer)], [400, ['surplus']])
  })

  for (const [name, property] of properties) {
    test(`knows when ${name} is wrong`, async () => {
      for (const value of refusedInBody(document, property)) {
        const answer = await ask(method, path, { body: { ...valid, [name]: value } })
        assert.ok(faultsOf(answer).some((field) => isAbout(field, name)), `${JSON.stringify(value)?.slice(0, 80)} is accepted: ${answer.status} ${answer.text.slice(0, 200)}`)
      }
    })
  }
}
