// agents: codex and opencode themselves, each carrying out a run, with a scripted model in place of theirs: what they
// are started with, what they print and what they leave behind is as it is.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { description, tasks } from '../models/reading_list.mjs'
import { ModelServer } from '../models/server.mjs'
import { script } from './script.mjs'

process.env.PATH = `${new URL('node_modules/.bin', import.meta.url).pathname}:${process.env.PATH}`
const { Server, until } = await import('../flow/lib.mjs')
const { processesOf } = await import('../flow/programs.mjs')

const key = 'sk-very-secret-0123456789'
const side = tasks.filter(({ dependencies }) => dependencies.length).map(({ slug }) => slug)
const rows = [
  ['codex', 'openai', ['--agent', 'codex']],
  ['opencode', 'chat', ['--agent', 'opencode']],
  ['acp', 'chat', ['--agent', 'acp', '--acp-command', 'opencode acp']],
]

// A gate that opens once all of these have come to it.
function gate(slugs, step) {
  const come = new Set()
  let open
  const opened = new Promise((resolve) => (open = resolve))
  const pass = async (slug) => {
    if (!slugs.includes(slug)) return undefined
    come.add(slug)
    if (come.size === slugs.length) open()
    await opened
    return step
  }
  return Object.assign(pass, { opened, come })
}

let models, folder, keyFile
before(async () => {
  models = await ModelServer.start()
  folder = mkdtempSync(join(tmpdir(), 'prazium-agents-'))
  keyFile = join(folder, 'key')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
})
after(async () => {
  await models.close()
  rmSync(folder, { recursive: true, force: true })
})

for (const [agent, provider, options] of rows) {
  describe(agent, () => {
    let server, project
    before(async () => {
      models.set(agent, script(), { key })
      server = await Server.start({
        args: ['--workers', '3', '--planner', 'model', '--model', 'test-model', '--model-provider', provider,
          '--model-key-file', keyFile, '--model-url', models.address(provider, agent), ...options],
      })
      project = await server.approvedProject(description, `By ${agent}`)
    })
    after(() => server.remove())

    test('is stopped half-way, and nothing of it is left', async () => {
      const hold = gate(side, { fault: 'hang-stream' })
      models.set(agent, script(hold), { key })
      const run = await server.post(`/projects/${project.id}/runs`)
      await Promise.race([hold.opened, server.finished(project.id, run.id)])
      assert.equal(hold.come.size, side.length, `${JSON.stringify(await server.get(`/projects/${project.id}/runs/${run.id}`)).slice(0, 3000)}`)
      await server.post(`/projects/${project.id}/runs/${run.id}/cancel`)
      const ended = await server.finished(project.id, run.id)
      assert.equal(ended.status, 'cancelled')
      await until('no process is left', 10, () => processesOf(server.data, server.child.pid).length === 0)
    })

    test('carries a run out, three tasks side by side', async () => {
      const together = gate(side)
      models.set(agent, script(together), { key })
      const { id } = await server.post(`/projects/${project.id}/runs`)
      const run = await server.finished(project.id, id)
      assert.equal(run.status, 'succeeded', JSON.stringify(run).slice(0, 4000))
      assert.equal(run.verificationResult.status, 'passed')
      assert.deepEqual(run.tasks.map(({ slug, status }) => [slug, status]), tasks.map(({ slug }) => [slug, 'succeeded']))
      const events = await server.events(project.id, id)
      for (const task of run.tasks) {
        const own = events.filter(({ taskId }) => taskId === task.id)
        const of = (type) => own.filter(({ eventType }) => eventType === type).map(({ payload }) => payload)
        assert.deepEqual(of('FILE_CREATED').map(({ path }) => path).sort(), [...tasks.find(({ slug }) => slug === task.slug).expectedOutputs].sort(), task.slug)
        assert.ok(of('MESSAGE').some(({ text }) => text === 'I write the files.'), JSON.stringify(own.map(({ eventType, payload }) => [eventType, payload])).slice(0, 3000))
        const command = of('COMMAND_COMPLETED').find((payload) => payload.command.includes('wc -l'))
        assert.equal(command?.exitCode, 0, task.slug)
        assert.match(command.output, /^\d+ /)
        const detail = await server.get(`/projects/${project.id}/runs/${id}/tasks/${task.id}`)
        assert.deepEqual(detail.attempts?.length ?? 1, 1)
      }
      assert.ok(!JSON.stringify(events).includes(key))
      assert.deepEqual(processesOf(server.data, server.child.pid), [])
    })
  })
}
