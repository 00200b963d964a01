// specs: documents written by hand: what is stored, what the plan makes of it, and that the edited plan is what is built.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { faultsOf, is, page, refused, sameNotFound, shape, success } from './expect.mjs'
import { projectTool, Server } from './lib.mjs'

const unknown = 'proj_01h455vb4pex5vsknk084sn02q'
const names = ['SPEC.md', 'ACCEPTANCE.md', 'ROUTES.md', 'DATA.md']
const whole = {
  version: is.int,
  documents: Object.fromEntries(names.map((name) => [name, is.string])),
  isEdited: is.boolean,
  approvedAt: is.orNull(is.time),
  createdAt: is.time,
  openPoints: is.list(is.string),
}

// A criterion of ACCEPTANCE.md with all that belongs to it.
function criterionOf(text, id) {
  const from = text.indexOf(`### ${id} `)
  assert.ok(from >= 0, `${id} is there`)
  const next = text.slice(from).search(/\n#{2,3} /)
  return text.slice(from, next < 0 ? undefined : from + next)
}

describe('editing', () => {
  let server
  before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
  after(() => server.remove())

  const edit = (id, body) => server.call('PUT', `/projects/${id}/spec`, body)
  const history = (id, query = '') => server.call('GET', `/projects/${id}/specs${query}`)

  test('stores exactly these texts as a new version; what is not given is kept', async () => {
    const { id, spec } = await server.plannedProject()
    const text = `\n  ${spec.documents['SPEC.md']}\nAdd a field budget to projects. — Ümlaut\t\n\n`
    const data = success(await edit(id, { documents: { 'SPEC.md': text }, version: 1 }))
    shape(data, { status: 'spec_review', spec: { ...whole, version: 2, isEdited: true, approvedAt: null } })
    assert.deepEqual(data.spec.documents, { ...spec.documents, 'SPEC.md': text })
    const read = await server.get(`/projects/${id}`)
    assert.deepEqual([read.status, read.spec], ['spec_review', data.spec])
  })

  test('says what the plan does not follow, and only that', async () => {
    const { id, spec } = await server.plannedProject()
    const all = spec.documents
    const data = success(
      await edit(id, {
        documents: {
          'SPEC.md': `${all['SPEC.md']}\nEvery task must have a colour.\nWhales sing at dawn.\n`,
          'ACCEPTANCE.md': `${all['ACCEPTANCE.md']}\n### AC-901 Whales sing\n\nWhen it dawns, then whales sing.\n`,
        },
      }),
    )
    assert.equal(data.spec.openPoints.length, 2, JSON.stringify(data.spec.openPoints))
    assert.match(data.spec.openPoints[0], /^SPEC\.md now says "Whales sing at dawn\."/)
    assert.match(data.spec.openPoints[1], /^AC-901 .*no check is known/)
  })

  test('what was understood stays in what is written anew, the texts do not', async () => {
    const { id, spec } = await server.plannedProject()
    await server.answer('PUT', `/projects/${id}/spec`, { documents: { 'SPEC.md': `${spec.documents['SPEC.md']}\nAdd a field budget to projects.\n` } })
    const { spec: anew } = await server.post(`/projects/${id}/regenerate`)
    assert.equal(anew.isEdited, false)
    assert.match(anew.documents['DATA.md'], /\| `budget` \| Budget \|/)
    assert.ok(!anew.documents['SPEC.md'].includes('Add a field budget'))
  })

  test('is refused on what is no longer the newest version', async () => {
    const { id, spec } = await server.plannedProject()
    const body = { documents: { 'DATA.md': `${spec.documents['DATA.md']}\n` }, version: 1 }
    success(await edit(id, body))
    refused(await edit(id, body), 409, 'version')
    refused(await edit(id, { ...body, version: 3 }), 409, 'version')
    success(await edit(id, { ...body, version: 2 }))
  })

  test('of one version by many makes one', async () => {
    const { id, spec } = await server.plannedProject()
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => edit(id, { documents: { 'SPEC.md': `${spec.documents['SPEC.md']}\n${i}\n` }, version: 1 })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409, 409, 409])
    assert.equal((await server.get(`/projects/${id}`)).spec.version, 2)
  })

  test('has its place: after the answers, not while it is built, not when it is archived', async () => {
    const body = { documents: { 'SPEC.md': 'x' } }
    const draft = await server.draft()
    refused(await edit(draft.id, body), 409)
    await server.post(`/projects/${draft.id}/clarify`)
    refused(await edit(draft.id, body), 409)
    const { id } = await server.approvedProject()
    assert.equal(success(await edit(id, body)).spec.version, 2)
    assert.equal((await server.get(`/projects/${id}`)).status, 'spec_review')
    await server.post(`/projects/${id}/approve`)
    await server.post(`/projects/${id}/runs`) // which stays as it is: nobody works here
    refused(await edit(id, body), 409)
    const archived = await server.plannedProject()
    await server.answer('DELETE', `/projects/${archived.id}`)
    refused(await edit(archived.id, body), 409)
  })

  for (const [what, body, ...fields] of [
    ['nothing', {}, 'documents'],
    ['no documents', { documents: {} }, 'documents'],
    ['a text', { documents: '# SPEC' }, 'documents'],
    ['an unknown document', { documents: { 'NOTES.md': 'x' } }, 'documents.NOTES.md'],
    ['an empty document', { documents: { 'SPEC.md': '' } }, 'documents.SPEC.md'],
    ['a document that is too long', { documents: { 'DATA.md': 'x'.repeat(200_001) } }, 'documents.DATA.md'],
    ['no text', { documents: { 'DATA.md': null, 'ROUTES.md': 7 } }, 'documents.ROUTES.md', 'documents.DATA.md'],
    ['a version that is none', { documents: { 'SPEC.md': 'x' }, version: 0 }, 'version'],
    ['an unknown member', { documents: { 'SPEC.md': 'x' }, note: 'x' }, 'note'],
    ['a criterion twice', { documents: { 'ACCEPTANCE.md': '### AC-1 A\n\nx\n\n### AC-1 B\n' } }, 'documents.ACCEPTANCE.md'],
  ]) {
    test(`refuses ${what}`, async () => {
      const { id } = await server.plannedProject()
      const answer = await edit(id, body)
      refused(answer, 400, fields[0])
      assert.deepEqual(faultsOf(answer), fields)
      assert.equal((await server.get(`/projects/${id}`)).spec.version, 1)
    })
  }

  test('takes documents as long as they may be', async () => {
    const { id } = await server.plannedProject()
    const long = '鯨'.repeat(199_990)
    const { spec } = success(await edit(id, { documents: { 'SPEC.md': long, 'ROUTES.md': long, 'DATA.md': long } }))
    assert.equal(spec.documents['DATA.md'], long)
  })

  test('is not there', () => sameNotFound(server, 'PUT', [`/projects/${unknown}/spec`, '/projects/x/spec'], { documents: { 'SPEC.md': 'x' } }))

  describe('the versions', () => {
    test('are listed newest first, and read whole', async () => {
      const { id, spec } = await server.plannedProject()
      assert.deepEqual(page(await history((await server.draft()).id), { total: 0 }), [])
      await server.post(`/projects/${id}/approve`)
      await server.answer('PUT', `/projects/${id}/spec`, { documents: { 'SPEC.md': 'x' } })
      const rows = page(await history(id), { total: 2 })
      shape(rows[0], { version: 2, isEdited: true, approvedAt: null, createdAt: is.time })
      shape(rows[1], { version: 1, isEdited: false, approvedAt: is.time, createdAt: spec.createdAt })
      assert.deepEqual(page(await history(id, '?page=2&pageSize=1'), { page: 2, pageSize: 1, total: 2 }), [rows[1]])
      const first = success(await server.call('GET', `/projects/${id}/specs/1`))
      assert.deepEqual(first, { ...spec, approvedAt: rows[1].approvedAt })
      const second = success(await server.call('GET', `/projects/${id}/specs/2`))
      shape(second, { ...whole, version: 2 })
      assert.deepEqual(second.documents, { ...spec.documents, 'SPEC.md': 'x' })
    })

    test('are not there: unknown, malformed, of nobody', async () => {
      const { id } = await server.plannedProject()
      await sameNotFound(server, 'GET', ['2', '0', '-1', 'x', '1.0', '99999999999999999999'].map((version) => `/projects/${id}/specs/${version}`))
      await sameNotFound(server, 'GET', [`/projects/${unknown}/specs`, '/projects/x/specs'])
      await sameNotFound(server, 'GET', [`/projects/${unknown}/specs/1`, '/projects/x/specs/1'])
      refused(await history(id, '?pageSize=101'), 400, 'pageSize')
    })
  })
})

describe('building', () => {
  let server
  before(async () => (server = await Server.start()))
  after(() => server.remove())

  test('an edited plan is what is built, proven and told', async () => {
    const project = await server.plannedProject(projectTool, 'Edited')
    const path = `/projects/${project.id}`
    const all = project.spec.documents
    const dropped = criterionOf(all['ACCEPTANCE.md'], 'AC-2')
    const { spec } = await server.answer('PUT', `${path}/spec`, {
      documents: {
        'SPEC.md': `${all['SPEC.md']}\nAdd suppliers.\n`,
        'DATA.md': all['DATA.md'].replace('\n| `name` | Name |', '\n| `weight` | Weight | whole number |\n| `name` | Name |'),
        'ACCEPTANCE.md': all['ACCEPTANCE.md'].replace(dropped, ''),
      },
      version: 1,
    })
    assert.deepEqual(spec.openPoints, [])
    await server.post(`${path}/approve`)
    const run = await server.finished(project.id, (await server.post(`${path}/runs`)).id)
    assert.equal(run.status, 'succeeded', run.error)
    const { criteria, checks } = run.verificationResult
    assert.ok(!criteria.some(({ id }) => id === 'AC-2'), 'a criterion that was taken out is not in the ledger')
    for (const { id, title, status } of criteria) {
      assert.equal(status, 'proven', id)
      assert.ok(all['ACCEPTANCE.md'].includes(`### ${id} ${title}`), `${id} keeps its number`)
    }
    assert.equal(checks.find(({ title }) => title === 'Suppliers are kept and found again')?.status, 'passed')
    const { content } = await server.get(`${path}/files/src/app/api/suppliers/route.ts`)
    assert.ok(content.length > 0)
    assert.deepEqual((await server.get(`${path}/runs/${run.id}`)).specSnapshot.documents, spec.documents)

    // A criterion that nobody can prove: the run says so, and does not succeed.
    const { spec: next } = await server.answer('PUT', `${path}/spec`, {
      documents: { 'ACCEPTANCE.md': `${spec.documents['ACCEPTANCE.md']}\n### AC-900 It pleases whales\n\nWhen a whale sees it, then it is pleased.\n` },
    })
    assert.equal(next.openPoints.length, 1)
    await server.post(`${path}/approve`)
    const failed = await server.finished(project.id, (await server.post(`${path}/runs`)).id)
    assert.equal(failed.status, 'failed')
    assert.match(failed.error, /It pleases whales: no check is known for this criterion/)
    const whale = failed.verificationResult.criteria.find(({ id }) => id === 'AC-900')
    assert.deepEqual([whale.status, whale.statement, whale.fault], ['unproven', 'When a whale sees it, then it is pleased.', 'no check is known for this criterion'])
    assert.deepEqual(whale.evidence, { kind: 'none', note: 'no check is known for this criterion' })
    assert.ok(failed.verificationResult.criteria.filter(({ id }) => id !== 'AC-900').every(({ status }) => status === 'proven'))
  })
})
