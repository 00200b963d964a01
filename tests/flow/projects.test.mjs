// projects: create, list, read, change, archive.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { faultsOf, is, page, refused, refusesBadBodies, sameNotFound, shape, success } from './expect.mjs'
import { projectTool, Server } from './lib.mjs'
import { git } from './programs.mjs'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

const unknown = 'proj_01h455vb4pex5vsknk084sn02q'
const good = { name: 'My SaaS App', description: projectTool }

const created = {
  id: is.id('proj'),
  name: 'My SaaS App',
  description: projectTool,
  status: 'draft',
  repoPath: is.string,
  createdAt: is.time,
  updatedAt: is.time,
}
const settings = { planner: 'blueprint', agent: [{ kind: 'blueprint', model: null }], model: null }
const read = { ...created, settings, cloneUrl: is.matching(/^\/projects\/proj_\w+\/repo\.git$/), spec: null }

describe('POST /projects', () => {
  test('makes a draft with a repository', async () => {
    const before = Date.now()
    const project = success(await server.call('POST', '/projects', good), 201)
    shape(project, created)
    assert.ok(Math.abs(Date.parse(project.createdAt) - before) < 60_000)
    assert.equal(project.updatedAt, project.createdAt)
    assert.ok(project.repoPath.endsWith(`/repos/${project.id}.git`))
    assert.ok(existsSync(project.repoPath))
    assert.equal(git(project.repoPath, 'rev-parse', '--abbrev-ref', 'HEAD'), 'main')
    git(project.repoPath, 'fsck', '--strict')
  })

  test('takes white space off both ends, and keeps what is within', async () => {
    const project = await server.post('/projects', { name: '  Two  words\n', description: '\n first\n\n second ' })
    assert.equal(project.name, 'Two  words')
    assert.equal(project.description, 'first\n\n second')
  })

  test('keeps any script, and what looks like markup or SQL', async () => {
    const name = `Café 日本語 🚲 <b>"x"</b> '; DROP TABLE project; -- \\ \u2028 ]]>`
    const project = await server.post('/projects', { name, description: name.repeat(3).trim() })
    const read = await server.get(`/projects/${project.id}`)
    assert.equal(read.name, name.trim())
    assert.equal(read.description, name.repeat(3).trim())
  })

  test('counts characters, not bytes', async () => {
    success(await server.call('POST', '/projects', { name: '🚲'.repeat(200), description: 'é'.repeat(20000) }), 201)
    refused(await server.call('POST', '/projects', { ...good, name: '🚲'.repeat(201) }), 400, 'name')
    refused(await server.call('POST', '/projects', { ...good, description: 'é'.repeat(20001) }), 400, 'description')
  })

  for (const field of ['name', 'description']) {
    const wrong = { missing: undefined, null: null, empty: '', blank: ' \t\n', 'a number': 5, 'true': true, 'an array': ['x'], 'an object': {} }
    for (const [what, value] of Object.entries(wrong)) {
      test(`refuses a ${field} that is ${what}`, async () => {
        const { message } = refused(await server.call('POST', '/projects', { ...good, [field]: value }), 400, field)
        assert.match(message, new RegExp(`^Project ${field} (is required|must be a string)$`))
      })
    }
  }

  test('names the missing name as the contract does', async () => {
    const { message } = refused(await server.call('POST', '/projects', { description: projectTool }), 400, 'name')
    assert.equal(message, 'Project name is required')
  })

  test('names all faults at once, and unknown fields', async () => {
    const answer = await server.call('POST', '/projects', { name: 1, id: 'x', status: 'built' })
    refused(answer, 400, 'id')
    assert.deepEqual(faultsOf(answer).sort(), ['description', 'id', 'name', 'status'])
  })

  test('refuses bad bodies', async () => {
    refused(await server.call('POST', '/projects'), 400, 'body')
    await refusesBadBodies(server, 'POST', '/projects', good)
  })

  test('takes application/json with a parameter, in any case', async () => {
    success(await server.call('POST', '/projects', good, { 'content-type': 'Application/JSON; charset=UTF-8' }), 201)
  })

  test('makes nothing when it refuses', async () => {
    const [a, b] = [await server.call('GET', '/projects'), await server.call('GET', '/projects')]
    await server.call('POST', '/projects', { name: 'x' })
    assert.deepEqual(a.body, b.body)
    assert.deepEqual((await server.call('GET', '/projects')).body, a.body)
  })
})

describe('GET /projects', () => {
  let lister
  const ids = []
  before(async () => {
    lister = await Server.start({ args: ['--workers', '0'] })
    for (let i = 1; i <= 25; i++) {
      const name = `Garden ${i} ${i % 5 === 0 ? 'Orchard' : 'Meadow'}`
      ids.unshift((await lister.post('/projects', { name, description: `Plan of plot ${i}, with bicycles${i === 7 ? ' and zebras' : ''}.` })).id)
    }
  })
  after(() => lister.remove())

  const list = (query = '') => lister.call('GET', `/projects${query}`)

  test('gives the newest twenty, and how many there are', async () => {
    const items = page(await list(), { total: 25 })
    assert.deepEqual(items.map((item) => item.id), ids.slice(0, 20))
    shape(items[0], {
      id: is.id('proj'),
      name: 'Garden 25 Orchard',
      description: is.string,
      status: 'draft',
      latestRun: null,
      createdAt: is.time,
      updatedAt: is.time,
    })
  })

  test('gives pages of any size that hold everything once', async () => {
    for (const pageSize of [1, 7, 25, 100]) {
      const seen = []
      for (let at = 1; at <= Math.ceil(25 / pageSize); at++) {
        seen.push(...page(await list(`?page=${at}&pageSize=${pageSize}`), { page: at, pageSize, total: 25 }))
      }
      assert.deepEqual(seen.map((item) => item.id), ids)
    }
  })

  test('gives an empty page beyond the last', async () => {
    assert.deepEqual(page(await list('?page=3'), { page: 3, total: 25 }), [])
    assert.deepEqual(page(await list('?page=2147483647&pageSize=100'), { page: 2147483647, pageSize: 100, total: 25 }), [])
  })

  for (const [query, field] of [
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=x', 'page'],
    ['page=1.5', 'page'],
    ['page=99999999999999999999', 'page'],
    ['page=1&page=2', 'page'],
    ['pageSize=0', 'pageSize'],
    ['pageSize=101', 'pageSize'],
    ['pageSize=ten', 'pageSize'],
    ['status=finished', 'status'],
    ['status=DRAFT', 'status'],
    ['sort=name', 'sort'],
  ]) {
    test(`refuses ?${query}`, async () => refused(await list(`?${query}`), 400, field))
  }

  test('filters by status', async () => {
    assert.equal(page(await list('?status=draft&pageSize=100'), { pageSize: 100, total: 25 }).length, 25)
    for (const status of ['clarifying', 'spec_review', 'approved', 'building', 'built', 'failed', 'archived']) {
      assert.deepEqual(page(await list(`?status=${status}`), { total: 0 }), [])
    }
  })

  test('searches name and description, in any case, by the beginnings of words', async () => {
    assert.equal(page(await list('?search=orchard'), { total: 5 }).length, 5)
    assert.equal(page(await list('?search=ORCH'), { total: 5 }).length, 5)
    assert.deepEqual(page(await list('?search=zebra'), { total: 1 }).map((item) => item.name), ['Garden 7 Meadow'])
    assert.equal(page(await list('?search=bicycles&pageSize=3&page=2'), { page: 2, pageSize: 3, total: 25 }).length, 3)
    assert.deepEqual(page(await list('?search=orchard%20zebras'), { total: 0 }), [])
    assert.equal(page(await list('?search=orchard+15'), { total: 1 }).length, 1)
    assert.equal(page(await list('?search=orchard&status=draft'), { total: 5 }).length, 5)
    assert.deepEqual(page(await list('?search=orchard&status=built'), { total: 0 }), [])
  })

  test('takes nothing in a search for syntax', async () => {
    for (const search of ['"', "'", '*', 'a OR b', 'NOT x', '(', 'name:Garden', '%', '_', 'Garden AND', '-', '^a', '\\']) {
      const answer = await list(`?search=${encodeURIComponent(search)}`)
      assert.equal(answer.status, 200, `${search}: ${answer.text}`)
    }
    assert.deepEqual(page(await list('?search=%25'), { total: 0 }), [])
  })

  test('an empty value is none', async () => {
    page(await list('?search=&status=&page=&pageSize='), { total: 25 })
    page(await list('?search=%20%20'), { total: 25 })
  })

  test('shows the latest run', async () => {
    const project = await lister.approvedProject(projectTool, 'With a run')
    const run = await lister.post(`/projects/${project.id}/runs`)
    const items = page(await list('?status=building'), { total: 1 })
    assert.equal(items[0].id, project.id)
    assert.equal(items[0].status, 'building')
    shape(items[0].latestRun, { id: run.id, runNumber: 1, status: 'decomposing' })
  })

  test('leaves archived ones out unless they are asked for', async () => {
    const { id } = await lister.draft(projectTool, 'Soon gone')
    await lister.answer('DELETE', `/projects/${id}`)
    assert.equal(page(await list('?search=gone'), { total: 0 }).length, 0)
    assert.deepEqual(page(await list('?search=gone&status=archived'), { total: 1 }).map((item) => item.id), [id])
    assert.deepEqual(page(await list('?status=archived'), { total: 1 }).map((item) => item.status), ['archived'])
  })
})

describe('GET /projects/:projectId', () => {
  test('has no spec at first', async () => {
    const { id } = await server.draft(projectTool, 'My SaaS App')
    shape(success(await server.call('GET', `/projects/${id}`)), { ...read, id })
  })

  test('has the documents of the latest spec', async () => {
    const { id, spec } = await server.plannedProject()
    const project = await server.get(`/projects/${id}`)
    assert.equal(project.status, 'spec_review')
    shape(project.spec, {
      version: 1,
      documents: { 'SPEC.md': is.string, 'ACCEPTANCE.md': is.string, 'ROUTES.md': is.string, 'DATA.md': is.string },
      isEdited: false,
      approvedAt: null,
      createdAt: is.time,
      openPoints: is.list(is.string),
    })
    assert.deepEqual(project.spec, spec)
    assert.deepEqual(Object.keys(spec.documents), ['SPEC.md', 'ACCEPTANCE.md', 'ROUTES.md', 'DATA.md'])
    const { spec: approval } = await server.post(`/projects/${id}/approve`)
    assert.equal((await server.get(`/projects/${id}`)).spec.approvedAt, approval.approvedAt)
  })

  test('is found by the UUID of its id too', async () => {
    const { id } = await server.draft()
    assert.equal((await server.get(`/projects/${uuidOf(id)}`)).id, id)
    assert.equal((await server.get(`/projects/${uuidOf(id).toUpperCase()}`)).id, id)
  })

  test('is not there: unknown, malformed, of another kind, all the same', async () => {
    const paths = [unknown, 'x', 'proj_', `run${unknown.slice(4)}`, uuidOf(unknown), `${unknown}x`, unknown.toUpperCase(), 'proj_%27', '%F0%9F%9A%B2']
    await sameNotFound(server, 'GET', paths.map((id) => `/projects/${id}`))
  })
})

export function uuidOf(id) {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  let number = 0n
  for (const digit of id.slice(id.indexOf('_') + 1)) number = number * 32n + BigInt(digits.indexOf(digit))
  return number.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

describe('PATCH /projects/:projectId', () => {
  let project
  before(async () => (project = await server.draft(projectTool, 'Before')))
  const patch = (body, headers) => server.call('PATCH', `/projects/${project.id}`, body, headers)

  test('changes what it names, and only that', async () => {
    const renamed = success(await patch({ name: 'Updated Name' }))
    shape(renamed, { ...read, id: project.id, name: 'Updated Name' })
    assert.equal(renamed.createdAt, project.createdAt)
    assert.ok(renamed.updatedAt >= project.updatedAt)
    const told = success(await patch({ description: 'Updated description' }))
    assert.equal(told.name, 'Updated Name')
    assert.equal(told.description, 'Updated description')
    assert.deepEqual(await server.get(`/projects/${project.id}`), told)
    const both = success(await patch({ name: ' Both ', description: projectTool }))
    assert.deepEqual([both.name, both.description], ['Both', projectTool])
    assert.deepEqual((await server.call('GET', '/projects?search=Both')).body.data.map((item) => item.id), [project.id])
  })

  for (const field of ['name', 'description']) {
    for (const [what, value] of Object.entries({ null: null, empty: '', blank: '  ', 'a number': 5, 'an array': [], 'too long': 'x'.repeat(20001) })) {
      test(`refuses a ${field} that is ${what}`, async () => refused(await patch({ [field]: value }), 400, field))
    }
  }

  test('refuses what changes nothing, and what may not be changed', async () => {
    refused(await patch({}), 400, 'name')
    refused(await patch({ status: 'built' }), 400, 'status')
    refused(await patch({ name: 'x', id: unknown }), 400, 'id')
    refused(await server.call('PATCH', `/projects/${project.id}`), 400, 'body')
    await refusesBadBodies(server, 'PATCH', `/projects/${project.id}`, { name: 'x' })
  })

  test('is not there', () => sameNotFound(server, 'PATCH', [`/projects/${unknown}`, '/projects/x'], { name: 'x' }))

  test('keeps a spec that was approved', async () => {
    const { id, spec } = await server.approvedProject()
    const changed = success(await server.call('PATCH', `/projects/${id}`, { description: 'Something else altogether.' }))
    assert.equal(changed.status, 'approved')
    assert.deepEqual(changed.spec.documents, spec.documents)
  })
})

describe('DELETE /projects/:projectId', () => {
  test('archives', async () => {
    const { id } = await server.draft()
    shape(success(await server.call('DELETE', `/projects/${id}`)), { id, status: 'archived' })
    const archived = await server.get(`/projects/${id}`)
    assert.equal(archived.status, 'archived')
    shape(success(await server.call('DELETE', `/projects/${id}`)), { id, status: 'archived' })
    assert.deepEqual(await server.get(`/projects/${id}`), archived, 'archiving twice is archiving once')
  })

  test('is not there', () => sameNotFound(server, 'DELETE', [`/projects/${unknown}`, '/projects/x']))

  test('an archived project takes nothing more', async () => {
    const { id, questions } = await server.approvedProject()
    await server.answer('DELETE', `/projects/${id}`)
    const before = await server.get(`/projects/${id}`)
    const answers = questions.slice(0, 1).map((question) => ({ questionId: question.id, answer: question.default }))
    for (const [method, path, body] of [
      ['PATCH', '', { name: 'x' }],
      ['POST', '/clarify'],
      ['POST', '/answers', { answers }],
      ['POST', '/approve'],
      ['POST', '/regenerate', { feedback: 'More' }],
      ['POST', '/runs'],
      ['POST', '/export'],
      ['POST', '/deploy', { provider: 'local' }],
    ]) {
      refused(await server.call(method, `/projects/${id}${path}`, body), 409)
    }
    assert.deepEqual(await server.get(`/projects/${id}`), before)
  })

  test('is refused while a run is at work', async () => {
    const { id } = await server.approvedProject()
    await server.post(`/projects/${id}/runs`)
    refused(await server.call('DELETE', `/projects/${id}`), 409)
    assert.equal((await server.get(`/projects/${id}`)).status, 'building')
  })
})
