// restart: kill -9 at random moments of a run, each followed by a start: nothing is lost, doubled, invented or left over.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { isDense, projectTool, Server } from './lib.mjs'

const KILLS = 10

function git(repository, ...args) {
  return execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim()
}

// Processes whose command line or environment names the data directory.
function processesOf(data) {
  const found = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8')
      if (text.includes(data)) found.push(`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`)
    } catch {
      // it ended meanwhile
    }
  }
  return found
}

// Follows the stream until `count` further events came, then kills; the moment differs with every kill.
async function killAfter(server, project, run, from, count) {
  let seen = 0
  const onEvent = () => ++seen >= count
  onEvent.mayBreak = true
  const { seen: events } = await server.stream(project, run, onEvent, from)
  await server.kill()
  return events.length ? events[events.length - 1] : undefined
}

test('a run survives kill -9 at ten random moments', { timeout: 600_000 }, async (t) => {
  const server = await Server.start()
  t.after(() => server.remove())
  const project = await server.approvedProject(projectTool, 'Survivor')
  const run = await server.post(`/projects/${project.id}/runs`)
  // What a client was told stays true for ever: events acknowledged before a kill are there after it.
  let last = 0
  const told = new Map()
  for (let kill = 0; kill < KILLS; kill++) {
    const state = await server.get(`/projects/${project.id}/runs/${run.id}`)
    if (['succeeded', 'failed', 'cancelled'].includes(state.status)) {
      await server.kill() // still one of the ten: a restart after the end changes nothing
      await server.restart()
      continue
    }
    const step = 1 + Math.floor(Math.random() * 40)
    const event = await killAfter(server, project.id, run.id, last, step)
    if (event) {
      told.set(event.sequence, event.type)
      last = event.sequence
    }
    await server.restart()
    const events = await server.events(project.id, run.id)
    assert.ok(isDense(events.map((item) => item.sequence)), 'sequences are dense after each restart')
    for (const [sequence, type] of told) assert.equal(events[sequence - 1].eventType, type)
  }
  const ended = await server.finished(project.id, run.id)
  assert.equal(ended.status, 'succeeded', ended.error)

  const events = await server.events(project.id, run.id)
  assert.ok(isDense(events.map((item) => item.sequence)))
  assert.equal(events.filter((item) => item.eventType === 'RUN_COMPLETED').length, 1)
  assert.equal(events.at(-1).eventType, 'RUN_COMPLETED')
  const tasks = await server.get(`/projects/${project.id}/runs/${run.id}/tasks`)
  for (const task of tasks) {
    assert.equal(task.status, 'succeeded')
    const own = events.filter((item) => item.taskId === task.id)
    for (const once of ['TASK_STARTED', 'MERGE_COMPLETED', 'TASK_COMPLETED'])
      assert.equal(own.filter((item) => item.eventType === once).length, 1, `${once} of ${task.slug}`)
    const paths = own.filter((item) => item.eventType.startsWith('FILE_')).map((item) => item.payload.path)
    assert.equal(new Set(paths).size, paths.length, `each file of ${task.slug} is told once`)
  }

  const repository = project.repoPath
  const merged = git(repository, 'log', '--first-parent', '--format=%(trailers:key=Prazium-Task,valueonly,separator=%x2C)', 'main')
    .split('\n')
    .filter(Boolean)
  assert.deepEqual(merged.sort(), tasks.map((task) => task.id).sort(), 'every task has exactly one merged commit')
  assert.equal(git(repository, 'rev-parse', 'main'), ended.commitSha)
  execFileSync('git', ['-C', repository, 'fsck', '--strict', '--no-dangling'], { stdio: 'pipe' })
  assert.deepEqual(git(repository, 'for-each-ref', '--format=%(refname)', 'refs/heads').split('\n'), ['refs/heads/main'])
  assert.equal(git(repository, 'worktree', 'list').split('\n').length, 1, 'no worktree is registered')

  await server.stop()
  const database = join(server.data, 'prazium.db')
  assert.equal(execFileSync('sqlite3', [database, 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim(), 'ok')
  assert.equal(execFileSync('sqlite3', [database, 'SELECT count(*) FROM job'], { encoding: 'utf8' }).trim(), '0')
  assert.deepEqual(readdirSync(join(server.data, 'workspaces')), [], 'no workspace is left')
  const locks = execFileSync('find', [repository, '-name', '*.lock'], { encoding: 'utf8' }).trim()
  assert.equal(locks, '', 'no lock is left')
  assert.deepEqual(processesOf(server.data), [], 'no process is left')
})
