// model: the options that name a language model, and what `prazium doctor --model` says of it. The servers are scripted, in the
// providers' true wire formats.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ModelServer } from '../models/server.mjs'
import { Server } from './lib.mjs'
import { prazium } from './programs.mjs'

const key = 'sk-very-secret-0123456789'
let models, folder
before(async () => {
  models = await ModelServer.start()
  folder = mkdtempSync(join(tmpdir(), 'prazium-model-'))
})
after(async () => {
  await models.close()
  rmSync(folder, { recursive: true, force: true })
})

// The doctor's word on a model whose server plays these steps.
function examine(provider, steps, { name = `s${Math.random().toString(36).slice(2)}`, serverKey, ...env } = {}) {
  models.set(name, steps, { key: serverKey })
  return prazium(['doctor', '--model', 'some-model'], {
    env: { PRAZIUM_MODEL_PROVIDER: provider, PRAZIUM_MODEL_URL: models.address(provider, name), ...env },
  })
}

const providers = ['anthropic', 'openai', 'chat', 'ollama']

describe('doctor --model', () => {
  for (const provider of providers) {
    test(`${provider}: answers`, async () => {
      const { code, stdout, stderr } = await examine(provider, [{ text: 'ready', usage: { input: 12, output: 3 } }], { name: provider, serverKey: provider === 'ollama' ? undefined : key, PRAZIUM_MODEL_KEY: key })
      assert.match(stdout, new RegExp(`^✓ model {5}some-model of ${provider} answers in \\d+ ms, with 12 tokens in and 3 out\\n$`))
      assert.deepEqual([code, stderr], [0, ''])
      const [request] = models.requests(provider)
      assert.equal(request.body.model, 'some-model')
    })

    test(`${provider}: a wrong key`, async () => {
      const { code, stdout, stderr } = await examine(provider, [], { serverKey: 'another', PRAZIUM_MODEL_KEY: key })
      assert.equal(code, 7)
      assert.match(stdout, new RegExp(`^✗ model {5}some-model of ${provider}: the model's server answered 401: .*\\n +→ .*PRAZIUM_MODEL_KEY`))
      assert.ok(!(stdout + stderr).includes(key))
    })
  }

  const status = (status, error, headers) => [{ fault: { kind: 'status', status, error, headers } }]
  const rows = [
    ['an unknown model', 'anthropic', status(404, { type: 'not_found_error', message: 'model: some-model' }), /404: model: some-model\n.*→ give a --model that the server has/],
    ['a model that is not pulled', 'ollama', status(404, { message: 'model "some-model" not found, try pulling it first' }), /try pulling it first\n.*→ .*pull it first/],
    ['a used-up quota', 'openai', status(429, { type: 'insufficient_quota', code: 'insufficient_quota', message: 'You exceeded your current quota' }), /You exceeded your current quota\n.*→ .*used up/],
    ['a quota that comes back', 'openai', status(429, { type: 'usage_limit_reached', message: 'limit', resets_at: 4102444800 }), /→ it is renewed at 2100-01-01T00:00:00\.000Z\n/],
    ['too many requests', 'chat', status(429, { message: 'slow down' }), /429: slow down\n.*→ try again later/],
    ['an overloaded server', 'anthropic', status(529, { type: 'overloaded_error', message: 'Overloaded' }), /529: Overloaded\n.*→ try again later/],
    ['a page instead of an answer', 'chat', [{ fault: 'html' }], /text\/html where a stream of events was due\n.*→ .*--model-provider and --model-url/],
    ['a redirect', 'chat', [{ fault: { kind: 'redirect', to: 'https://elsewhere.example/' } }], /sends elsewhere \(status 307, to https:\/\/elsewhere\.example\/\)/],
    ['an answer that breaks off', 'anthropic', [{ text: 'ready', fault: 'cut' }], /the answer broke off/],
    ['a refused request', 'chat', status(400, { message: 'max_tokens is too large' }), /400: max_tokens is too large\n/],
  ]
  for (const [what, provider, steps, pattern] of rows) {
    test(what, async () => {
      const { code, stdout, stderr } = await examine(provider, steps)
      assert.equal(code, 7)
      assert.match(stdout, pattern)
      assert.equal(stderr, 'prazium: the model does not answer\n')
    })
  }

  // One line says what is wrong with the connection, another what to look at.
  async function reaches(url, pattern) {
    const { code, stdout } = await prazium(['doctor', '--model', '--model-url', url], { env: { PRAZIUM_MODEL: 'm', PRAZIUM_MODEL_PROVIDER: 'chat' } })
    assert.equal(code, 7)
    assert.match(stdout, pattern)
    assert.match(stdout, /→ look at --model-url/)
  }

  test('a host that is not there', () => reaches(`http://${'a'.repeat(64)}.example`, /resolve host/i))

  test('nobody who listens', async () => {
    const socket = createServer().listen(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    socket.close()
    await once(socket, 'close')
    await reaches(`http://127.0.0.1:${port}`, /connect to 127\.0\.0\.1/i)
  })

  test('no TLS where there should be', () => reaches(models.url.replace('http:', 'https:'), /cannot be reached: .*(ssl|tls)/i))

  test('the wrong provider', async () => {
    const { stdout } = await prazium(['doctor', '--model', 'm', '--model-provider', 'ollama', '--model-url', models.address('openai')])
    assert.match(stdout, /404.*\n.*→ .*does not speak this format/)
  })
})

describe('the options', () => {
  const fails = async (args, pattern, env) => {
    const { code, stdout, stderr } = await prazium(args, { env })
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, pattern)
  }

  test('doctor --model without a model', () => fails(['doctor', '--model'], /no model is named/))
  test('a model without a provider', () => fails(['doctor', '--model', 'm'], /--model needs a --model-provider/))
  test('a provider without a model', () => fails(['serve', '--model-provider', 'ollama', '--data', join(folder, 'x')], /--model-provider needs a --model/))
  test('an unknown provider', () => fails(['serve', '--model-provider', 'gemini'], /anthropic\|openai\|chat\|ollama/))
  test('an address that is none', () => prazium(['doctor', '--model', 'm', '--model-provider', 'chat', '--model-url', 'nowhere']).then(({ code, stdout }) => {
    assert.equal(code, 2)
    assert.match(stdout, /must begin with http/)
  }))
  test('a key is not taken on the command line', () => fails(['doctor', '--model-key', key], /there is no option --model-key here/))

  test('the key comes from a file, and a missing or empty one is told', async () => {
    const file = join(folder, 'key')
    writeFileSync(file, `${key}\nmore\n`)
    const name = 'file'
    models.set(name, [{ text: 'ready' }], { key })
    const args = ['doctor', '--model', 'm', '--model-provider', 'chat', '--model-url', models.address('chat', name), '--model-key-file']
    assert.equal((await prazium([...args, file])).code, 0)
    writeFileSync(file, '\n')
    await fails([...args, file], /first line of .* is empty/)
    assert.equal((await prazium([...args, join(folder, 'none')])).code, 4)
  })

  test('a recording is made, or replayed', () => fails(['serve', '--data', join(folder, 'x'), '--record', join(folder, 'r'), '--replay', join(folder, 'r')], /--record and --replay exclude each other/))
  test('a recording that is none', () => fails(['build', '--data', join(folder, 'x'), '--replay', join(folder, 'none'), 'An app for notes'], /none is no recording: it has no recording\.json/))

  test('a master key that is none', () => fails(['serve', '--data', join(folder, 'x')], /PRAZIUM_MASTER_KEY: a master key is 32 bytes/, { PRAZIUM_MASTER_KEY: 'short' }))

  test('a server that is given a model starts, and says nothing of its key', async (t) => {
    const file = join(folder, 'server-key')
    writeFileSync(file, key, { mode: 0o600 })
    const server = await Server.start({ args: ['--workers', '0', '--model', 'm', '--model-provider', 'anthropic', '--model-url', models.url, '--model-key-file', file] })
    t.after(() => server.remove())
    assert.equal((await server.call('GET', '/health')).status, 200)
    await server.stop()
    assert.ok(!server.log.includes(key))
    assert.ok(!readFileSync(join(server.data, 'prazium.db')).includes(key))
    assert.deepEqual(models.requests(), [])
  })
})
