// settings: who plans and who carries out, by project, run and task; the agents of a server; a project's own model.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ModelServer } from '../models/server.mjs'
import { scriptOf } from '../models/planned.mjs'
import { description, readingList } from '../models/reading_list.mjs'
import { is, refused, shape, success } from './expect.mjs'
import { projectTool, Server } from './lib.mjs'

const key = 'sk-of-this-project-alone-0123456789'
const blueprint = { kind: 'blueprint', model: null }
const good = { name: 'Settings', description: projectTool }

let server, models
before(async () => {
  models = await ModelServer.start()
  // The agent "command" is there, and no program of a machine's own: the tests' own node.
  server = await Server.start({
    args: ['--workers', '1', '--sandbox', 'off', '--agent-command', `${process.execPath} --version`, '--model-private-addresses', 'allow'],
  })
})
after(async () => {
  await server.remove()
  await models.close()
})

const make = (settings = {}) => server.call('POST', '/projects', { ...good, ...settings })
const made = async (settings) => {
  const { id } = success(await make(settings), 201)
  return server.get(`/projects/${id}`)
}
const change = (id, body) => server.call('PATCH', `/projects/${id}`, body)
const modelOf = (url, more) => ({ provider: 'chat', name: 'some-model', url, ...more })

describe('GET /agents', () => {
  test('says who there is, and why somebody cannot work', async () => {
    const agents = await server.get('/agents')
    shape(agents, is.list({ kind: is.string, title: is.string, isAvailable: is.boolean, reason: is.orNull(is.string), isDefault: is.boolean }))
    const of = (kind) => agents.find((agent) => agent.kind === kind)
    shape(of('blueprint'), { kind: 'blueprint', title: is.string, isAvailable: true, reason: null, isDefault: true })
    shape(of('model'), { kind: 'model', title: is.string, isAvailable: false, reason: 'no model is set up', isDefault: false })
    assert.equal(of('command').isAvailable, true)
    assert.equal(of('acp').reason, 'the operator has given it no command')
  })
})

describe('settings of a project', () => {
  test('are those of the server until they are set', async () => {
    const { settings } = await made()
    assert.deepEqual(settings, { planner: 'blueprint', agent: [blueprint], model: null })
  })

  test('are set when it is made, one agent or several', async () => {
    const one = await made({ agent: { kind: 'command' } })
    assert.deepEqual(one.settings.agent, [{ kind: 'command', model: null }])
    const two = await made({ agent: [{ kind: 'command', model: 'm-1' }, { kind: 'blueprint' }], planner: 'blueprint' })
    assert.deepEqual(two.settings.agent, [{ kind: 'command', model: 'm-1' }, blueprint])
  })

  test('are changed one by one, and null is as the server has it', async () => {
    const { id } = await made({ agent: { kind: 'command' } })
    const changed = success(await change(id, { model: modelOf('http://127.0.0.1:9/v1', { key }) }))
    assert.deepEqual(changed.settings.agent, [{ kind: 'command', model: null }])
    shape(changed.settings.model, { provider: 'chat', name: 'some-model', url: 'http://127.0.0.1:9/v1', hasKey: true, isOwn: true })
    assert.equal(success(await change(id, { planner: 'model' })).settings.planner, 'model')
    // Without a planner of its own it is planned from the catalog again, by whoever was chosen.
    assert.equal(success(await change(id, { planner: null })).settings.planner, 'blueprint')
    assert.deepEqual(success(await change(id, { agent: null, model: null })).settings, { planner: 'blueprint', agent: [blueprint], model: null })
  })

  test('a model that plans needs an agent that can follow it: without a choice, the model', async () => {
    const { settings } = await made({ planner: 'model', model: modelOf('http://127.0.0.1:9/v1') })
    assert.deepEqual(settings.agent, [{ kind: 'model', model: null }])
  })

  test('what cannot be is refused, whole', async () => {
    for (const [settings, field] of [
      [{ agent: 'codex' }, 'agent'],
      [{ agent: [] }, 'agent'],
      [{ agent: Array(5).fill({ kind: 'blueprint' }) }, 'agent'],
      [{ agent: { model: 'x' } }, 'agent[0].kind'],
      [{ agent: { kind: 'nobody' } }, 'agent[0].kind'],
      [{ agent: { kind: 'command', command: 'rm -rf /' } }, 'agent[0].command'],
      [{ agent: [{ kind: 'blueprint' }, { kind: 'model' }] }, 'agent[1].kind'],
      [{ agent: { kind: 'acp' } }, 'agent[0].kind'],
      [{ planner: 'oracle' }, 'planner'],
      [{ planner: 'model' }, 'planner'],
      [{ planner: 'model', model: modelOf('http://127.0.0.1:9'), agent: { kind: 'blueprint' } }, 'agent[0].kind'],
      [{ model: { provider: 'chat' } }, 'model.name'],
      [{ model: { provider: 'telepathy', name: 'x' } }, 'model.provider'],
      [{ model: modelOf('ftp://example.org/') }, 'model.url'],
      [{ model: modelOf('https://user:secret@example.org/') }, 'model.url'],
    ])
      refused(await make(settings), 400, field)
    const { id } = await made({ planner: 'model', model: modelOf('http://127.0.0.1:9') })
    refused(await change(id, { model: null }), 400, 'model')
    refused(await change(id, { agent: { kind: 'blueprint' } }), 400, 'agent[0].kind')
    refused(await change(id, {}), 400, 'name')
    assert.equal((await server.get(`/projects/${id}`)).settings.model.name, 'some-model')
  })

  test('of an archived project stay as they are', async () => {
    const { id } = await made({ model: modelOf(null, { key }) })
    success(await server.call('DELETE', `/projects/${id}`))
    refused(await change(id, { planner: 'blueprint' }), 409)
    assert.equal((await server.get(`/projects/${id}`)).settings.model.hasKey, false) // its key is gone with it
  })
})

describe('the key of a model', () => {
  test('is never shown, and lies nowhere as it is', async () => {
    const { id } = await made({ model: modelOf('https://models.example.org/v1', { key }) })
    assert.ok(!JSON.stringify(await server.get(`/projects/${id}`)).includes(key))
    const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    assert.ok(files.length > 0)
    for (const entry of files) {
      const path = join(entry.parentPath ?? entry.path, entry.name)
      if (!path.includes('/cache/')) assert.ok(!readFileSync(path).includes(key), path)
    }
    assert.ok(!server.log.includes(key))
  })

  test('stays while provider and url do, and goes to no other address', async () => {
    const url = 'https://models.example.org/v1'
    const { id } = await made({ model: modelOf(url, { key }) })
    const hasKey = async (model) => success(await change(id, { model })).settings.model.hasKey
    assert.equal(await hasKey({ ...modelOf(url), name: 'another-model' }), true)
    assert.equal(await hasKey(modelOf('https://elsewhere.example.org/v1')), false)
    assert.equal(await hasKey(modelOf(url)), false) // it is not remembered, either
    assert.equal(await hasKey(modelOf(url, { key })), true)
    assert.equal(await hasKey(modelOf(url, { key: null })), false)
  })

  test('goes to the model that plans', async () => {
    models.set('own', scriptOf(readingList), { key })
    const project = await made({ description, planner: 'model', model: modelOf(models.address('chat', 'own'), { key }) })
    const { questions } = success(await server.call('POST', `/projects/${project.id}/clarify`))
    assert.equal(questions.length, 3)
    const [request] = models.requests('own')
    assert.equal(request.headers.authorization, `Bearer ${key}`)
    assert.equal(request.body.model, 'some-model')
  })
})

describe('a server of many tenants', () => {
  test('asks no model of its own network for an account', async () => {
    const careful = await Server.start({ args: ['--workers', '0'] })
    try {
      for (const url of ['http://127.0.0.1:9/v1', 'http://localhost/v1', 'http://[::1]/', 'http://169.254.169.254/latest', 'http://10.0.0.1/'])
        refused(await careful.call('POST', '/projects', { ...good, model: modelOf(url) }), 400, 'model.url')
      refused(await careful.call('POST', '/projects', { ...good, model: { provider: 'ollama', name: 'qwen3' } }), 400, 'model.url')
      success(await careful.call('POST', '/projects', { ...good, model: { provider: 'anthropic', name: 'claude-sonnet-4-5' } }), 201)
      success(await careful.call('POST', '/projects', { ...good, model: modelOf('https://models.example.org/v1') }), 201)
    } finally {
      await careful.remove()
    }
  })
})

describe('agents of a run', () => {
  const runOf = async (project, body, status = 201) => {
    const { id } = success(await server.call('POST', `/projects/${project.id}/runs`, body), status)
    return server.get(`/projects/${project.id}/runs/${id}`)
  }

  // Its end, unless it has come to one by itself.
  async function end(project, id) {
    const { status } = await server.call('POST', `/projects/${project.id}/runs/${id}/cancel`)
    assert.ok([200, 409].includes(status), `${status}`)
    await server.finished(project.id, id)
  }

  test('are those of the project, of the run, of the task', async () => {
    const project = await server.approvedProject()
    const path = `/projects/${project.id}/runs`
    success(await change(project.id, { agent: { kind: 'command' } }))
    const first = await runOf(project, {})
    assert.deepEqual(first.settings, { agent: [{ kind: 'command', model: null }], taskAgents: {} })
    await end(project, first.id)

    const body = { agent: { kind: 'blueprint' }, taskAgents: { 'ui-shell': { kind: 'command', model: 'm-1' } } }
    const second = await runOf(project, body)
    const settings = { agent: [blueprint], taskAgents: { 'ui-shell': [{ kind: 'command', model: 'm-1' }] } }
    assert.deepEqual(second.settings, settings)
    await end(project, second.id)

    // Another try is made by the same, unless it says otherwise.
    const again = success(await server.call('POST', `${path}/${second.id}/retry`), 201)
    assert.deepEqual((await server.get(`${path}/${again.id}`)).settings, settings)
    await end(project, again.id)
    const other = success(await server.call('POST', `${path}/${second.id}/retry`, { agent: [{ kind: 'command' }, { kind: 'blueprint' }] }), 201)
    assert.deepEqual((await server.get(`${path}/${other.id}`)).settings.agent, [{ kind: 'command', model: null }, blueprint])
    await end(project, other.id)
  })

  test('who cannot work is refused before anything begins', async () => {
    const project = await server.approvedProject()
    const path = `/projects/${project.id}/runs`
    refused(await server.call('POST', path, { agent: { kind: 'model' } }), 400, 'agent[0].kind')
    refused(await server.call('POST', path, { taskAgents: { 'ui-shell': { kind: 'nobody' } } }), 400, 'taskAgents.ui-shell[0].kind')
    refused(await server.call('POST', path, { taskAgents: { 'ui-shell': 'codex' } }), 400, 'taskAgents.ui-shell')
    refused(await server.call('POST', path, { taskAgents: [] }), 400, 'taskAgents')
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`t-${i}`, { kind: 'blueprint' }]))
    refused(await server.call('POST', path, { taskAgents: many }), 400, 'taskAgents')
    assert.equal((await server.get(`/projects/${project.id}`)).status, 'approved')
    const run = success(await server.call('POST', path, {}), 201)
    await end(project, run.id)
    refused(await server.call('POST', `${path}/${run.id}/retry`, { agent: { kind: 'nobody' } }), 400, 'agent[0].kind')
  })
})

describe('an agent that cannot work', () => {
  test('is followed by the next one, which the run tells', async () => {
    models.set('refusing', [{ fault: { kind: 'status', status: 401 }, repeat: true }])
    const model = ['--model', 'some-model', '--model-provider', 'chat', '--model-url', models.address('chat', 'refusing')]
    const other = await Server.start({ args: ['--workers', '1', '--sandbox', 'off', '--agent', 'model,blueprint', ...model] })
    try {
      const project = await other.approvedProject()
      assert.deepEqual((await other.get(`/projects/${project.id}`)).settings.agent, [{ kind: 'model', model: null }, blueprint])
      const path = `/projects/${project.id}/runs`
      const run = await other.post(path, {})
      await other.reached(project.id, run.id, 'TASK_COMPLETED')
      const events = await other.events(project.id, run.id)
      const said = events.find(({ eventType }) => eventType === 'MESSAGE')
      assert.equal(said.payload.role, 'system')
      assert.match(said.payload.text, /^model cannot work: .+; blueprint takes over$/s)
      const task = await other.get(`${path}/${run.id}/tasks/${said.taskId}`)
      assert.deepEqual([task.attempts.length, task.attempts[0].agent], [1, 'blueprint'])
      assert.ok(models.requests('refusing').length > 0)
      await other.call('POST', `${path}/${run.id}/cancel`)
    } finally {
      await other.remove()
    }
  })
})
