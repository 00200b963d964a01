// interrupted: one project whose runs are cancelled while they are verified, and drained by SIGTERM, until one ends well.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkCancelled, checkSucceeded } from './ended.mjs'
import { refused, success } from './expect.mjs'
import { isDense, projectTool, Server, until } from './lib.mjs'
import { processesOf } from './programs.mjs'

const GRACE_S = 2

let server, project, cancelled
before(async () => {
  server = await Server.start({ args: ['--grace', String(GRACE_S)] })
  project = await server.approvedProject(projectTool, 'Interrupted')
})
after(() => server.remove())

const path = (run, rest = '') => `/projects/${project.id}/runs/${run.id}${rest}`

// Until a command of the verification is at work.
async function commandAtWork() {
  return until('npm or next is at work', 120, async () =>
    processesOf(server.data, server.child.pid).find((line) => /\b(npm|next|tsc|node)\b/.test(line)))
}

// SIGTERM, its exit code, and that it came within the grace and what is left of a request's time.
async function drain() {
  const began = Date.now()
  await server.stop()
  assert.ok(Date.now() - began < (GRACE_S + 8) * 1000, `draining took ${Date.now() - began} ms`)
  assert.deepEqual(processesOf(server.data), [], 'no process outlives the server')
}

test('cancel ends the commands of the verification', { timeout: 300_000 }, async () => {
  const run = await server.post(`/projects/${project.id}/runs`)
  await server.reached(project.id, run.id, 'VERIFICATION_STARTED')
  assert.equal((await server.get(path(run))).status, 'verifying')
  await commandAtWork()
  assert.deepEqual(success(await server.call('POST', path(run, '/cancel'))), { id: run.id, status: 'cancelled' })
  await checkCancelled(server, project, run)
  assert.deepEqual(readdirSync(join(server.data, 'workspaces')), [], 'no folder is left')
  cancelled = await server.get(path(run))
  assert.equal(cancelled.verificationResult?.status ?? 'running', 'running')
  refused(await server.call('POST', path(run, '/cancel')), 409)
})

test('a new run goes through, though the server is stopped while it executes and while it verifies', { timeout: 600_000 }, async () => {
  const run = success(await server.call('POST', path(cancelled, '/retry')), 201)
  await server.reached(project.id, run.id, 'TASK_STARTED')
  await drain()
  await server.restart()
  assert.ok(['executing', 'verifying'].includes((await server.get(path(run))).status))

  await server.reached(project.id, run.id, 'VERIFICATION_STARTED')
  await commandAtWork()
  const told = await server.events(project.id, run.id)
  await drain()
  await server.restart()
  const still = await server.events(project.id, run.id)
  assert.deepEqual(still.slice(0, told.length), told, 'what was told stays told')
  assert.ok(isDense(still.map(({ sequence }) => sequence)))

  await server.finished(project.id, run.id)
  await checkSucceeded(server, project, run)
  assert.deepEqual(readdirSync(join(server.data, 'workspaces')), [], 'no folder is left')
})

test('nothing has changed of the run that was cancelled', async () => {
  assert.deepEqual(await server.get(path(cancelled)), cancelled)
})
