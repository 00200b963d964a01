// deploy: provider `local`: live when it answers, also after the server or the app itself ended; what a server without
// workers leaves waiting; lists, stops, and the new one that takes the place of the old.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { is, page, refused, refusesBadBodies, refusesMembers, sameNotFound, shape, success } from '../expect.mjs'
import { until } from '../lib.mjs'
import { walked } from '../pages.mjs'
import { processesOf } from '../programs.mjs'

const unknown = { project: 'proj_01h455vb4pex5vsknk084sn02q', run: 'run_01h455vb4pex5vsknk084sn02q', deployment: 'dep_01h455vb4pex5vsknk084sn02q' }

export function testDeploy(built) {
  const { server, project } = built
  const base = `/projects/${project.id}`
  const ask = (body) => server.call('POST', `${base}/deploy`, body)
  const person = { name: 'Ada', email: 'ada@example.org', password: 'correct horse' }

  const send = (url, path, body) =>
    fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), redirect: 'manual' })

  describe('POST /projects/:projectId/deploy', () => {
    for (const [body, status, field] of [
      [{}, 400, 'provider'],
      [{ provider: '' }, 400, 'provider'],
      [{ provider: null }, 400, 'provider'],
      [{ provider: 1 }, 400, 'provider'],
      [{ provider: 'x'.repeat(41) }, 400, 'provider'],
      [{ provider: 'local', runId: '' }, 400, 'runId'],
      [{ provider: 'local', runId: 7 }, 400, 'runId'],
      [{ provider: 'local', region: 'x' }, 400, 'region'],
      [{ provider: 'local', runId: 'x' }, 404, 'runId'],
      [{ provider: 'local', runId: unknown.run }, 404, 'runId'],
    ]) {
      test(`refuses ${JSON.stringify(body).slice(0, 60)}`, async () => refused(await ask(body), status, field))
    }

    test('refuses a provider that is not configured, and names those that are', async () => {
      const { message, details } = refused(await ask({ runId: built.run.id, provider: 'railway' }), 400, 'provider')
      assert.match(message, /railway.*local/)
      assert.deepEqual(details.providers, ['local'])
    })

    test('needs a body, and a sound one', async () => {
      refused(await ask(), 400, 'body')
      await refusesBadBodies(server, 'POST', `${base}/deploy`, { provider: 'local' })
    })

    test("knows no other project's run, and deploys only what succeeded", async () => {
      const answers = []
      for (const runId of [unknown.run, built.other.run.id, 'x']) {
        answers.push((await server.call('POST', `${base}/deploy`, { provider: 'local', runId }, { 'x-request-id': 'the-same' })).text)
      }
      assert.equal(new Set(answers).size, 1)
      refused(await server.call('POST', `/projects/${built.other.project.id}/deploy`, { provider: 'local', runId: built.other.run.id }), 409, 'runId')
      refused(await server.call('POST', `/projects/${built.other.project.id}/deploy`, { provider: 'local' }), 409)
    })

    test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown.project}/deploy`, '/projects/x/deploy'], { provider: 'local' }))
  })

  describe('a deployment', () => {
    let path, live

    test('is deploying at first, and live once it answers', async () => {
      const begun = success(await ask({ runId: built.run.id, provider: 'local' }), 202)
      shape(begun, { deploymentId: is.id('dep'), status: 'deploying', provider: 'local' })
      path = `${base}/deployments/${begun.deploymentId}`
      const waiting = success(await server.call('GET', path))
      shape(waiting, { id: begun.deploymentId, status: 'deploying', provider: 'local', url: null, createdAt: is.time })
      live = await server.settled(path, 'deploying')
      shape(live, { ...waiting, status: 'live', url: is.matching(/^http:\/\/127\.0\.0\.1:\d+$/) })
      const response = await fetch(`${live.url}/api/health`)
      assert.deepEqual([response.status, await response.json()], [200, { status: 'ok' }])
      const page = await fetch(live.url)
      assert.equal(page.status, 200)
      assert.match(await page.text(), /<html.*My SaaS App/s)
    })

    test('is not to be found: unknown, malformed, under another project', async () => {
      const id = path.split('/').at(-1)
      await sameNotFound(server, 'GET', [unknown.deployment, 'x', built.run.id].map((other) => `${base}/deployments/${other}`))
      const elsewhere = (other) => `/projects/${built.other.project.id}/deployments/${other}`
      await sameNotFound(server, 'GET', [elsewhere(unknown.deployment), elsewhere(id)])
    })

    test('keeps what people write', async () => {
      assert.equal((await send(live.url, '/api/auth/sign-up', person)).status, 201)
      assert.equal((await send(live.url, '/api/auth/sign-in', person)).status, 200)
    })

    test('comes back when the app ends by itself', async () => {
      const pids = processesOf(server.data, server.child.pid).map((line) => Number(line.split(' ')[0]))
      const listening = pids.filter((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PORT=${new URL(live.url).port}`))
      assert.ok(listening.length > 0, 'the app has a process')
      process.kill(listening[0], 'SIGKILL')
      await until('the app is seen to be gone', 20, async () => (await server.get(path)).status === 'deploying')
      live = await server.settled(path, 'deploying', 60)
      assert.equal(live.status, 'live', live.error)
      assert.equal((await send(live.url, '/api/auth/sign-in', person)).status, 200)
    })

    test('ends with the server, and waits, as exports do, for one that has workers', async () => {
      const before = live.url
      await server.stop()
      assert.deepEqual(processesOf(server.data), [])
      await assert.rejects(fetch(before))
      await server.restart(['--workers', '0'])
      shape(await server.get(path), { ...live, status: 'deploying', url: is.any })
      const { id } = success(await server.call('POST', `${base}/export`), 202)
      shape(success(await server.call('GET', `${base}/exports/${id}`)), { id, status: 'processing', format: 'zip' })
      refused(await server.call('GET', `${base}/exports/${id}/download`), 409)

      await server.stop()
      await server.restart([])
      assert.equal((await server.settled(`${base}/exports/${id}`, 'processing', 30)).status, 'completed')
      live = await server.settled(path, 'deploying', 60)
      assert.equal(live.status, 'live', live.error)
      assert.equal((await send(live.url, '/api/auth/sign-in', person)).status, 200, 'what was written is there')
    })

    test('comes back after kill -9 of the server too', async () => {
      await server.kill()
      await server.restart()
      live = await server.settled(path, 'deploying', 60)
      assert.equal(live.status, 'live', live.error)
      assert.equal((await send(live.url, '/api/auth/sign-in', person)).status, 200)
    })

    const stop = (address) => server.call('POST', `${address}/stop`)
    const folderOf = (address) => join(server.data, 'deployments', address.split('/').at(-1))
    const list = async (query = '', wanted = {}) => page(await server.call('GET', `${base}/deployments${query}`), wanted)

    test('is listed, and stays until a newer one is live, which takes its place', async () => {
      assert.deepEqual(await list('', { total: 1 }), [live])
      const fresh = success(await ask({ provider: 'local' }), 202)
      const freshPath = `${base}/deployments/${fresh.deploymentId}`
      assert.equal((await fetch(`${live.url}/api/health`)).status, 200)
      const now = await server.settled(freshPath, 'deploying')
      assert.equal(now.status, 'live', now.error)
      await until('the old one is gone', 20, () => !existsSync(folderOf(path)))
      shape(await server.get(path), { ...live, status: 'stopped', url: null })
      await assert.rejects(fetch(live.url))
      assert.equal((await fetch(`${now.url}/api/health`)).status, 200)
      assert.deepEqual((await list('', { total: 2 })).map(({ id, status }) => [id, status]), [[fresh.deploymentId, 'live'], [live.id, 'stopped']])
      assert.deepEqual(await list('?status=live', { total: 1 }), [now])
      assert.deepEqual((await list('?page=2&pageSize=1', { page: 2, pageSize: 1, total: 2 })).map(({ id }) => id), [live.id])
      assert.deepEqual(await walked(server, `${base}/deployments`, 1), await list('', { total: 2 }))
      refused(await server.call('GET', `${base}/deployments?status=gone`), 400, 'status')
      refused(await stop(path), 409)
      path = freshPath
      live = now
    })

    test('is stopped when its processes are gone, and does not come back', async () => {
      await refusesMembers(server, 'POST', `${path}/stop`)
      assert.deepEqual(success(await stop(path)), { deploymentId: live.id, status: 'stopped' })
      await assert.rejects(fetch(live.url))
      assert.deepEqual(processesOf(server.data, server.child.pid), [])
      assert.ok(!existsSync(folderOf(path)))
      refused(await stop(path), 409)
      await server.stop()
      await server.restart()
      shape(await server.get(path), { ...live, status: 'stopped', url: null })
      assert.deepEqual(processesOf(server.data, server.child.pid), [])
    })

    test('is stopped while it is built', async () => {
      const { deploymentId } = success(await ask({ provider: 'local' }), 202)
      const address = `${base}/deployments/${deploymentId}`
      await until('it is being built', 60, () => processesOf(server.data, server.child.pid).length > 0)
      assert.deepEqual(success(await stop(address)), { deploymentId, status: 'stopped' })
      assert.deepEqual(processesOf(server.data, server.child.pid), [])
      assert.ok(!existsSync(folderOf(address)))
      assert.equal((await server.get(address)).status, 'stopped')
    })

    test('is not there to be stopped: unknown, malformed, under another project', async () => {
      await sameNotFound(server, 'POST', [unknown.deployment, 'x', built.run.id].map((other) => `${base}/deployments/${other}/stop`))
      const elsewhere = (other) => `/projects/${built.other.project.id}/deployments/${other}/stop`
      await sameNotFound(server, 'POST', [elsewhere(unknown.deployment), elsewhere(live.id)])
      await sameNotFound(server, 'GET', [`/projects/${unknown.project}/deployments`, '/projects/x/deployments'])
    })

    test('GET /providers says where to', async () => {
      const [local, ...others] = success(await server.call('GET', '/providers'))
      shape(local, { name: 'local', description: is.string, isAvailable: true, reason: null })
      assert.deepEqual(others, [])
    })
  })
}
