// export: the zip of a run that succeeded: asking for it, its download in whole and in parts, and what is in it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { is, page, refused, refusesBadBodies, sameNotFound, shape, success } from '../expect.mjs'
import { until } from '../lib.mjs'
import { walked } from '../pages.mjs'
import { gitLines, sha256 } from '../programs.mjs'

const unknown = { project: 'proj_01h455vb4pex5vsknk084sn02q', run: 'run_01h455vb4pex5vsknk084sn02q', export: 'exp_01h455vb4pex5vsknk084sn02q' }
const week = 7 * 24 * 3600 * 1000

export function testExport(built) {
  const { server, project } = built
  const base = `/projects/${project.id}`
  const ask = (body) => server.call('POST', `${base}/export`, body)
  const download = (id, headers = {}, method = 'GET') => server.fetch(`/v1${base}/exports/${id}/download`, { method, headers })
  const bytesOf = async (response) => Buffer.from(await response.arrayBuffer())

  async function completed(body) {
    const { id } = success(await ask(body), 202)
    return server.settled(`${base}/exports/${id}`, 'processing', 30)
  }

  describe('export', () => {
    let first, zip
    before(async () => {
      first = await completed({ runId: built.run.id, format: 'zip' })
      zip = await bytesOf(await download(first.id))
    })

    describe('POST /projects/:projectId/export', () => {
      for (const [what, body] of [
        ['a run and a format', () => ({ runId: built.run.id, format: 'zip' })],
        ['a run', () => ({ runId: built.run.id })],
        ['a format', () => ({ format: 'zip' })],
        ['nothing', () => ({})],
        ['no body', () => undefined],
      ]) {
        test(`takes ${what}`, async () => {
          shape(success(await ask(body()), 202), { id: is.id('exp'), status: 'processing', format: 'zip' })
        })
      }

      for (const [body, status, field] of [
        [{ format: 'tar' }, 400, 'format'],
        [{ format: 'ZIP' }, 400, 'format'],
        [{ format: '' }, 400, 'format'],
        [{ format: null }, 400, 'format'],
        [{ format: 1 }, 400, 'format'],
        [{ runId: '' }, 400, 'runId'],
        [{ runId: null }, 400, 'runId'],
        [{ runId: 7 }, 400, 'runId'],
        [{ runId: 'x'.repeat(65) }, 400, 'runId'],
        [{ target: 'x' }, 400, 'target'],
        [{ runId: 'x' }, 404, 'runId'],
        [{ runId: unknown.run }, 404, 'runId'],
      ]) {
        test(`refuses ${JSON.stringify(body).slice(0, 60)}`, async () => refused(await ask(body), status, field))
      }

      test('refuses bad bodies', () => refusesBadBodies(server, 'POST', `${base}/export`, {}))

      test("knows no other project's run", async () => {
        const answers = []
        for (const runId of [unknown.run, built.other.run.id, 'x']) {
          answers.push((await server.call('POST', `${base}/export`, { runId }, { 'x-request-id': 'the-same' })).text)
        }
        assert.equal(new Set(answers).size, 1)
      })

      test('has nothing to export of a project without a run, nor of a cancelled run', async () => {
        const { id } = await server.draft()
        refused(await server.call('POST', `/projects/${id}/export`), 409)
        refused(await server.call('POST', `/projects/${built.other.project.id}/export`), 409)
        refused(await server.call('POST', `/projects/${built.other.project.id}/export`, { runId: built.other.run.id }), 409, 'runId')
      })

      test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown.project}/export`, '/projects/x/export']))
    })

    describe('GET /projects/:projectId/exports/:exportId', () => {
      test('tells size, address and end', async () => {
        shape(success(await server.call('GET', `${base}/exports/${first.id}`)), {
          id: first.id,
          status: 'completed',
          format: 'zip',
          sizeBytes: zip.length,
          downloadUrl: `${base}/exports/${first.id}/download`,
          expiresAt: is.time,
        })
        const { completedAt } = await server.get(built.path)
        const left = Date.parse(first.expiresAt) - week
        assert.ok(left >= Date.parse(completedAt) && left <= Date.now(), 'seven days')
      })

      test('is not there: unknown, malformed, of another project', async () => {
        for (const rest of ['', '/download']) {
          await sameNotFound(server, 'GET', [unknown.export, 'x', built.run.id].map((id) => `${base}/exports/${id}${rest}`))
          const elsewhere = (id) => `/projects/${built.other.project.id}/exports/${id}${rest}`
          await sameNotFound(server, 'GET', [elsewhere(unknown.export), elsewhere(first.id)])
          await sameNotFound(server, 'GET', [`/projects/${unknown.project}/exports/${first.id}${rest}`, `/projects/x/exports/${first.id}${rest}`])
        }
      })
    })

    describe('GET /projects/:projectId/exports/:exportId/download', () => {
      test('is a zip with a name', async () => {
        const response = await download(first.id)
        assert.equal(response.status, 200)
        assert.equal(response.headers.get('content-type'), 'application/zip')
        assert.equal(response.headers.get('content-disposition'), 'attachment; filename="my-saas-app-run-1.zip"')
        assert.equal(response.headers.get('content-length'), String(zip.length))
        assert.equal(response.headers.get('accept-ranges'), 'bytes')
        assert.match(response.headers.get('etag'), /^"[^"]+"$/)
        assert.deepEqual(await bytesOf(response), zip)
      })

      test('holds what main holds, byte for byte, in a folder of its own', (t) => {
        const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'prazium-zip-'))
        t.after(() => rmSync(folder, { recursive: true }))
        writeFileSync(join(folder, 'app.zip'), zip)
        const unzip = (...args) => execFileSync('unzip', args, { cwd: folder, encoding: 'utf8' })
        unzip('-tq', 'app.zip')
        unzip('-q', 'app.zip')
        const paths = gitLines(project.repoPath, 'ls-tree', '-r', '--name-only', 'run-1')
        const inside = execFileSync('find', ['my-saas-app-run-1', '-type', 'f'], { cwd: folder, encoding: 'utf8' }).trim().split('\n')
        assert.deepEqual(inside.sort(), paths.map((path) => `my-saas-app-run-1/${path}`).sort())
        const hashes = execFileSync('git', ['hash-object', '--no-filters', '--stdin-paths'], { cwd: join(folder, 'my-saas-app-run-1'), input: paths.join('\n'), encoding: 'utf8' })
        assert.deepEqual(hashes.trim().split('\n'), gitLines(project.repoPath, 'ls-tree', '-r', '--object-only', 'run-1'))
        assert.ok(JSON.parse(readFileSync(join(folder, 'my-saas-app-run-1/package.json'))).scripts.build)
      })

      test('is the same when it is made again', async () => {
        const second = await completed({ runId: built.run.id })
        assert.notEqual(second.id, first.id)
        const [a, b] = [await download(first.id), await download(second.id)]
        assert.equal(a.headers.get('etag'), b.headers.get('etag'))
        assert.equal(sha256(await bytesOf(b)), sha256(zip))
        await a.body.cancel()
      })

      for (const [range, from, to] of [
        ['bytes=0-0', 0, 1],
        ['bytes=0-99', 0, 100],
        ['bytes=1000-1999', 1000, 2000],
        ['bytes=-500', -500, undefined],
        ['bytes=500-', 500, undefined],
        ['BYTES=7-8', 7, 9],
        ['bytes=-99999999', 0, undefined],
        ['bytes=0-99999999', 0, undefined],
      ]) {
        test(`gives ${range}`, async () => {
          const wanted = zip.subarray(from, to)
          const start = from < 0 ? zip.length + from : from
          const response = await download(first.id, { range })
          assert.equal(response.status, 206)
          assert.equal(response.headers.get('content-range'), `bytes ${start}-${start + wanted.length - 1}/${zip.length}`)
          assert.equal(response.headers.get('content-length'), String(wanted.length))
          assert.equal(response.headers.get('content-type'), 'application/zip')
          assert.deepEqual(await bytesOf(response), wanted)
        })
      }

      test('gives the last byte', async () => {
        const response = await download(first.id, { range: `bytes=${zip.length - 1}-${zip.length - 1}` })
        assert.equal(response.status, 206)
        assert.deepEqual(await bytesOf(response), zip.subarray(-1))
      })

      test('has nothing beyond its end', async () => {
        for (const range of [`bytes=${zip.length}-`, `bytes=${zip.length}-${zip.length + 5}`, 'bytes=99999999-', 'bytes=-0']) {
          const answer = await server.call('GET', `${base}/exports/${first.id}/download`, undefined, { range })
          refused(answer, 416, 'Range')
          assert.equal(answer.headers.get('content-range'), `bytes */${zip.length}`)
        }
      })

      test('gives the whole for a range that it cannot read', async () => {
        for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=', 'bytes=a-b', 'bytes=0-1,5-6', 'bytes=--1', 'nonsense']) {
          const response = await download(first.id, { range })
          assert.equal(response.status, 200, range)
          assert.equal((await bytesOf(response)).length, zip.length)
        }
      })

      test('is not sent again to who has it', async () => {
        const etag = (await download(first.id, {}, 'HEAD')).headers.get('etag')
        for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
          const response = await download(first.id, { 'if-none-match': value })
          assert.equal(response.status, 304, value)
          assert.equal(response.headers.get('etag'), etag)
          assert.equal(await response.text(), '')
        }
        const other = await download(first.id, { 'if-none-match': '"other"' })
        assert.equal(other.status, 200)
        await other.body.cancel()
      })

      test('goes on only with what it began with', async () => {
        const etag = (await download(first.id, {}, 'HEAD')).headers.get('etag')
        const same = await download(first.id, { range: 'bytes=10-19', 'if-range': etag })
        assert.equal(same.status, 206)
        assert.deepEqual(await bytesOf(same), zip.subarray(10, 20))
        for (const value of ['"other"', `W/${etag}`, 'Mon, 01 Jan 2024 00:00:00 GMT']) {
          const other = await download(first.id, { range: 'bytes=10-19', 'if-range': value })
          assert.equal(other.status, 200, value)
          assert.deepEqual(await bytesOf(other), zip)
        }
      })

      test('answers HEAD with the headers alone', async () => {
        const response = await download(first.id, {}, 'HEAD')
        assert.equal(response.status, 200)
        assert.equal(response.headers.get('content-length'), String(zip.length))
        assert.equal(response.headers.get('content-disposition'), 'attachment; filename="my-saas-app-run-1.zip"')
        assert.equal(await response.text(), '')
      })

      test('goes to many at once', async () => {
        const all = await Promise.all(Array.from({ length: 10 }, async () => sha256(await bytesOf(await download(first.id)))))
        assert.deepEqual(new Set(all), new Set([sha256(zip)]))
      })
    })

    describe('GET /projects/:projectId/exports', () => {
      const list = async (query, wanted) => page(await server.call('GET', `${base}/exports${query}`), wanted)

      test('has them newest first, in pages, by status', async () => {
        for (;;) {
          const waiting = await server.call('GET', `${base}/exports?status=processing`)
          if (waiting.body.pagination.total === 0) break
          await server.settled(`${base}/exports/${waiting.body.data[0].id}`, 'processing', 30)
        }
        const { total } = (await server.call('GET', `${base}/exports`)).body.pagination
        assert.ok(total >= 6)
        const all = await list('?pageSize=100', { pageSize: 100, total })
        assert.deepEqual(all.map(({ id }) => id), all.map(({ id }) => id).sort().reverse())
        assert.deepEqual(all.find(({ id }) => id === first.id), await server.get(`${base}/exports/${first.id}`))
        assert.deepEqual(await list('?status=completed&page=2&pageSize=2', { page: 2, pageSize: 2, total }), all.slice(2, 4))
        assert.deepEqual(await walked(server, `${base}/exports`, 3), all)
        assert.deepEqual(await walked(server, `${base}/exports?status=completed`, 2), all)
        assert.deepEqual(await list('?status=expired', { total: 0 }), [])
        assert.deepEqual(page(await server.call('GET', `/projects/${built.other.project.id}/exports`), { total: 0 }), [])
      })

      test('refuses what is no status, and is not there', async () => {
        refused(await server.call('GET', `${base}/exports?status=gone`), 400, 'status')
        await sameNotFound(server, 'GET', [`/projects/${unknown.project}/exports`, '/projects/x/exports'])
      })
    })

    describe('DELETE /projects/:projectId/exports/:exportId', () => {
      const drop = (id) => server.call('DELETE', `${base}/exports/${id}`)
      const fileOf = (id) => join(server.data, 'exports', `${id}.zip`)

      test('takes row and file; a download under way finishes', async () => {
        const { id } = await completed({ runId: built.run.id })
        assert.ok(existsSync(fileOf(id)))
        const response = await download(id)
        assert.deepEqual(success(await drop(id)), { id, status: 'deleted' })
        assert.ok(!existsSync(fileOf(id)))
        assert.deepEqual(await bytesOf(response), zip)
        refused(await drop(id), 404)
        refused(await server.call('GET', `${base}/exports/${id}`), 404)
        refused(await server.call('GET', `${base}/exports/${id}/download`), 404)
      })

      test('takes one that is being made', async () => {
        const { id } = success(await ask({ runId: built.run.id }), 202)
        assert.deepEqual(success(await drop(id)), { id, status: 'deleted' })
        refused(await server.call('GET', `${base}/exports/${id}`), 404)
        // One that is asked for later is made later: by then the first is dropped.
        const { id: next } = await completed({ runId: built.run.id })
        await until('its file is not there', 20, () => !existsSync(fileOf(id)))
        success(await drop(next))
      })

      test('is not there: unknown, malformed, of another project', async () => {
        await sameNotFound(server, 'DELETE', [unknown.export, 'x', built.run.id].map((id) => `${base}/exports/${id}`))
        const elsewhere = (id) => `/projects/${built.other.project.id}/exports/${id}`
        await sameNotFound(server, 'DELETE', [elsewhere(unknown.export), elsewhere(first.id)])
        assert.equal((await server.get(`${base}/exports/${first.id}`)).status, 'completed')
      })
    })
  })
}
