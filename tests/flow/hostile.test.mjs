// hostile: agents that do what none should, through a whole run each: the task fails and says why, and the server, its
// data and the other projects are as before. What the fence holds is proven one by one in tests/unit/sandbox.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Server, temporaryFolder, until } from './lib.mjs'
import { processesOf } from './programs.mjs'

const program = new URL('hostile.mjs', import.meta.url).pathname
const nothing = /changing anything|changed nothing/

// What the task's error says, and what its log has or must not have.
const rows = {
  'out-of-scope': { error: /outside the task's pathScope, first not-mine\.txt/ },
  secrets: { error: nothing, log: [/key: ENOENT/, /root: ENOENT/, /shadow: ENOENT/], not: [/prazium\.db|master\.key/] },
  server: { error: nothing, log: [/system: (EACCES|EROFS)/, /127\.0\.0\.1:\d+: ECONNREFUSED/, /1\.1\.1\.1:443: E/], not: [/(system|kill|\d): done/] },
  git: { error: /src\/\.git has a name that is git's own/, log: [/pointer: (EROFS|EACCES|EBUSY)/, /hook: (ENOENT|EROFS|EACCES)/] },
  symlink: { error: /package\.json is a symlink to an absolute path/ },
  forks: { error: /processes/ },
  memory: { error: /exit code|memory/, log: [/memory|allocation failed/] },
  file: { error: /large|file|disk/ },
  nothing: { error: nothing },
  gibberish: { error: nothing },
  children: { error: nothing, log: [/left a child/] },
}

let server, key
before(async () => {
  const data = await temporaryFolder()
  // The port is not known before it listens; any that nobody listens at behind the fence will do for the server's.
  server = await Server.start({ data, args: ['--agent', 'command', '--agent-command', `node ${program} {prompt_file} ${data} 3001`] })
  key = readFileSync(join(data, 'admin.key'), 'utf8').trim()
})
after(() => server.remove())

describe('an attack', () => {
  for (const [name, { error, log = [], not = [] }] of Object.entries(rows)) {
    test(name, { timeout: 240_000 }, async () => {
      const project = await server.approvedProject(undefined, `Attack ${name}`)
      const { id } = await server.post(`/projects/${project.id}/runs`, { maxAttempts: 1 })
      const run = await server.finished(project.id, id)
      assert.equal(run.status, 'failed')
      const failed = run.tasks.find(({ status }) => status === 'failed')
      const { payload } = (await server.events(project.id, id)).find(({ eventType, taskId }) => eventType === 'TASK_COMPLETED' && taskId === failed.id)
      const text = JSON.stringify((await server.call('GET', `/projects/${project.id}/runs/${id}/tasks/${failed.id}/log`)).body)
      if (/nothing would fence it in/.test(payload.error)) return // on this machine such agents are not even begun
      assert.match(payload.error, error, text.slice(0, 3000))
      for (const pattern of log) assert.match(text, pattern)
      for (const pattern of not) assert.doesNotMatch(text, pattern)
      assert.ok(!text.includes(key))
      await until('no process is left', 10, () => processesOf(server.data, server.child.pid).length === 0)
      assert.equal((await server.call('GET', '/health')).status, 200)
    })
  }
})
