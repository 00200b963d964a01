// planning: from a description over questions and answers to an approved spec, and what is refused on the way.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { descriptions } from './descriptions.mjs'
import { faultsOf, is, refused, refusesBadBodies, refusesMembers, sameNotFound, shape, success } from './expect.mjs'
import { defaultAnswer, defaultAnswers, projectTool, Server } from './lib.mjs'

let server
before(async () => (server = await Server.start({ args: ['--workers', '0'] })))
after(() => server.remove())

const unknown = 'proj_01h455vb4pex5vsknk084sn02q'
const names = ['SPEC.md', 'ACCEPTANCE.md', 'ROUTES.md', 'DATA.md']
const documents = Object.fromEntries(names.map((name) => [name, is.string]))
const spec = { version: 1, documents, isEdited: false, approvedAt: null, createdAt: is.time, openPoints: is.list(is.string) }

async function clarified(description = projectTool) {
  const project = await server.draft(description)
  const { questions } = await server.post(`/projects/${project.id}/clarify`)
  return { ...project, questions }
}

// As assert.match, without the whole document in the message.
function contains(text, pattern) {
  assert.ok(pattern.test(text), `${pattern} is not in: ${text.slice(0, 200)}…`)
}

describe('POST /projects/:projectId/clarify', () => {
  for (const description of descriptions) {
    test(`asks 3 to 7 questions: ${description}`, async () => {
      const { id } = await server.draft(description)
      const answer = success(await server.call('POST', `/projects/${id}/clarify`))
      assert.deepEqual(Object.keys(answer), ['questions'])
      const { questions } = answer
      assert.ok(questions.length >= 3 && questions.length <= 7, `${questions.length} questions`)
      assert.equal(new Set(questions.map((question) => question.id)).size, questions.length)
      assert.equal(new Set(questions.map((question) => question.question)).size, questions.length)
      for (const question of questions) {
        const { type, options, help } = question
        assert.ok(['single_choice', 'multiple_choice', 'boolean', 'text'].includes(type), type)
        const hasOptions = type.endsWith('choice')
        shape(question, {
          id: is.string,
          question: is.matching(/^[A-Z].*\?$/),
          type,
          default: (value) => ['boolean', 'string'].includes(typeof value) || Array.isArray(value),
          ...(hasOptions ? { options: is.list(is.string) } : {}),
          ...(help === undefined ? {} : { help: is.string }),
        })
        assert.doesNotMatch(question.question + (help ?? ''), /[{}]|undefined|null/)
        if (hasOptions) {
          assert.ok(options.length >= (type === 'single_choice' ? 2 : 1))
          assert.equal(new Set(options).size, options.length)
        }
      }
      assert.equal((await server.get(`/projects/${id}`)).status, 'clarifying')
      assert.deepEqual(success(await server.call('POST', `/projects/${id}/clarify`, {})).questions, questions, 'the same again')
    })
  }

  for (const description of ['App', 'Hello', 'A website.', 'Something nice', '?!', '12345', 'asdf qwer zxcv', 'I want an app']) {
    test(`says what is missing from "${description}"`, async () => {
      const { id } = await server.draft(description)
      const { message } = refused(await server.call('POST', `/projects/${id}/clarify`), 400, 'description')
      assert.ok(message.split(' ').length >= 8, `"${message}" helps nobody`)
      assert.equal((await server.get(`/projects/${id}`)).status, 'draft')
    })
  }

  test('goes on once the description says more', async () => {
    const { id } = await server.draft('An app')
    refused(await server.call('POST', `/projects/${id}/clarify`), 400, 'description')
    await server.answer('PATCH', `/projects/${id}`, { description: projectTool })
    assert.ok((await server.post(`/projects/${id}/clarify`)).questions.length >= 3)
  })

  test('refuses members, and what is no object', async () => {
    const { id } = await server.draft()
    await refusesMembers(server, 'POST', `/projects/${id}/clarify`)
    await refusesBadBodies(server, 'POST', `/projects/${id}/clarify`, {})
  })

  test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown}/clarify`, '/projects/x/clarify']))

  test('asks anew after a spec, whose questions then count', async () => {
    const { id, questions } = await server.approvedProject()
    await server.answer('PATCH', `/projects/${id}`, { description: descriptions[1] })
    const anew = (await server.post(`/projects/${id}/clarify`)).questions
    assert.notDeepEqual(anew, questions)
    assert.equal((await server.get(`/projects/${id}`)).status, 'clarifying')
    const { spec: second } = await server.post(`/projects/${id}/answers`, { answers: defaultAnswers(anew) })
    assert.equal(second.version, 2)
    assert.match(second.documents['SPEC.md'], /yoga/)
  })
})

describe('POST /projects/:projectId/answers', () => {
  let project
  before(async () => (project = await clarified(descriptions[4])))
  const answer = (answers) => server.call('POST', `/projects/${project.id}/answers`, { answers })
  const of = (type) => project.questions.find((question) => question.type === type)

  test('stores them and writes the spec', async () => {
    const { id, questions } = await clarified()
    const data = success(await server.call('POST', `/projects/${id}/answers`, { answers: defaultAnswers(questions) }))
    shape(data, { status: 'spec_review', spec })
    assert.deepEqual(Object.keys(data.spec.documents), names)
    assert.match(data.spec.documents['SPEC.md'], /^# Flow/)
    for (const name of names) {
      assert.match(data.spec.documents[name], /^# /, name)
      assert.doesNotMatch(data.spec.documents[name], /\{\{|undefined|\[object|null/, name)
    }
    assert.match(data.spec.documents['ACCEPTANCE.md'], /AC-1\b/)
    assert.ok(data.spec.documents['SPEC.md'].includes(projectTool), 'what was asked for is kept')
    const read = await server.get(`/projects/${id}`)
    assert.equal(read.status, 'spec_review')
    assert.deepEqual(read.spec, data.spec)
  })

  test('takes defaults for what is not answered', async () => {
    const [first, second] = [await clarified(), await clarified()]
    const all = await server.post(`/projects/${first.id}/answers`, { answers: defaultAnswers(first.questions) })
    const none = await server.post(`/projects/${second.id}/answers`, { answers: [] })
    assert.deepEqual(withoutQuestions(none.spec.documents, first.questions), withoutQuestions(all.spec.documents, first.questions))
  })

  test('the same input gives the same documents, byte for byte', async () => {
    const [first, second] = [await server.plannedProject(), await server.plannedProject()]
    assert.deepEqual({ ...first.spec, createdAt: '' }, { ...second.spec, createdAt: '' })
  })

  test('may be given again while the spec is in review', async () => {
    const { id, questions } = await server.plannedProject()
    const { spec: second } = await server.post(`/projects/${id}/answers`, { answers: defaultAnswers(questions) })
    assert.equal(second.version, 2)
    assert.equal((await server.get(`/projects/${id}`)).spec.version, 2)
  })

  for (const [what, body, field] of [
    ['nothing', {}, 'answers'],
    ['null', { answers: null }, 'answers'],
    ['an object', { answers: {} }, 'answers'],
    ['a text', { answers: 'q1' }, 'answers'],
    ['an unknown field', { answers: [], more: 1 }, 'more'],
    ['texts', { answers: ['q1'] }, 'answers[0]'],
    ['an answer without question', { answers: [{ answer: true }] }, 'answers[0].questionId'],
    ['a question that is a number', { answers: [{ questionId: 1, answer: true }] }, 'answers[0].questionId'],
    ['an unknown question', { answers: [{ questionId: 'q99', answer: true }] }, 'answers[0].questionId'],
  ]) {
    test(`refuses ${what}`, async () => refused(await server.call('POST', `/projects/${project.id}/answers`, body), 400, field))
  }

  test('refuses bad bodies', async () => {
    refused(await server.call('POST', `/projects/${project.id}/answers`), 400, 'body')
    await refusesBadBodies(server, 'POST', `/projects/${project.id}/answers`, { answers: [] })
  })

  test('refuses a question without an answer, or with more than one', async () => {
    const [one, two] = project.questions
    const good = { questionId: one.id, answer: defaultAnswer(one) }
    refused(await answer([good, { questionId: two.id }]), 400, 'answers[1].answer')
    refused(await answer([good, { questionId: two.id, answer: null }]), 400, 'answers[1].answer')
    refused(await answer([good, good]), 400, 'answers[1].questionId')
    refused(await answer([{ ...good, note: 'x' }]), 400, 'answers[0].note')
  })

  test('refuses what does not fit the type of the question', async () => {
    const [multiple, text] = [of('multiple_choice'), of('text')]
    const single = { ...(await clarified(descriptions[5])) }
    for (const [question, wrong] of [
      [multiple, ['Email', true, 1, {}, ['no such option'], [1], [null], [multiple.options[0], multiple.options[0]]]],
      [text, [true, 5, [], {}, ['x'], 'x'.repeat(2001)]],
    ]) {
      for (const value of wrong) refused(await answer([{ questionId: question.id, answer: value }]), 400, 'answers[0].answer')
    }
    for (const [type, wrong] of [
      ['single_choice', [true, 1, [], {}, 'no such option', '']],
      ['boolean', ['true', 'yes', 1, 0, [], {}]],
    ]) {
      const question = single.questions.find((item) => item.type === type)
      for (const value of wrong) {
        const body = { answers: [{ questionId: question.id, answer: value }] }
        refused(await server.call('POST', `/projects/${single.id}/answers`, body), 400, 'answers[0].answer')
      }
    }
    assert.equal((await server.get(`/projects/${single.id}`)).status, 'clarifying', 'nothing came of it')
  })

  test('has nothing to answer before the questions, nor after the approval', async () => {
    const { id } = await server.draft()
    refused(await server.call('POST', `/projects/${id}/answers`, { answers: [] }), 409)
    const approved = await server.approvedProject()
    refused(await server.call('POST', `/projects/${approved.id}/answers`, { answers: [] }), 409)
    assert.equal((await server.get(`/projects/${approved.id}`)).status, 'approved')
  })

  test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown}/answers`, '/projects/x/answers'], { answers: [] }))
})

// The documents without the lines that only repeat the questions, so that what is left is what will be built.
function withoutQuestions(all, questions) {
  return Object.entries(all).map(([name, text]) => [
    name,
    text.split('\n').filter((line) => !questions.some((question) => line.includes(question.question))),
  ])
}

// Every other answer that a question allows.
function otherAnswers(question) {
  const { type, options } = question
  const usual = defaultAnswer(question)
  if (type === 'boolean') return [!usual]
  if (type === 'single_choice') return options.filter((option) => option !== usual)
  if (type === 'text') return ['Alpha, Beta, 17']
  return options.map((option) => (usual.includes(option) ? usual.filter((item) => item !== option) : [...usual, option]))
}

describe('every answer changes what is built', () => {
  for (const description of descriptions) {
    test(description, async () => {
      const { id, questions } = await clarified(description)
      const ask = async (answers) => {
        const { spec: made } = await server.post(`/projects/${id}/answers`, { answers })
        return JSON.stringify(withoutQuestions(made.documents, questions))
      }
      const usual = await ask(defaultAnswers(questions))
      for (const question of questions) {
        const seen = new Map([[usual, 'the default']])
        for (const other of otherAnswers(question)) {
          const answers = defaultAnswers(questions).map((item) => (item.questionId === question.id ? { ...item, answer: other } : item))
          const documents = await ask(answers)
          assert.ok(!seen.has(documents), `${question.question} ${JSON.stringify(other)} gives what ${seen.get(documents)} gives`)
          seen.set(documents, JSON.stringify(other))
        }
      }
    })
  }
})

describe('POST /projects/:projectId/approve', () => {
  test('approves the spec in review', async () => {
    const { id } = await server.plannedProject()
    const data = success(await server.call('POST', `/projects/${id}/approve`))
    shape(data, { status: 'approved', spec: { version: 1, approvedAt: is.time } })
    const read = await server.get(`/projects/${id}`)
    assert.equal(read.status, 'approved')
    assert.equal(read.spec.approvedAt, data.spec.approvedAt)
  })

  test('has nothing to approve before there is a spec', async () => {
    const { id } = await server.draft()
    refused(await server.call('POST', `/projects/${id}/approve`), 409)
    await server.post(`/projects/${id}/clarify`)
    refused(await server.call('POST', `/projects/${id}/approve`), 409)
    assert.equal((await server.get(`/projects/${id}`)).status, 'clarifying')
  })

  test('approves once', async () => {
    const { id } = await server.approvedProject()
    const before = await server.get(`/projects/${id}`)
    refused(await server.call('POST', `/projects/${id}/approve`), 409)
    assert.deepEqual(await server.get(`/projects/${id}`), before)
  })

  test('approves a second spec after the first', async () => {
    const { id } = await server.approvedProject()
    await server.post(`/projects/${id}/regenerate`, { feedback: 'Add notifications.' })
    const { spec: approval } = await server.post(`/projects/${id}/approve`)
    assert.equal(approval.version, 2)
  })

  test('of two at once, one succeeds', async () => {
    const { id } = await server.plannedProject()
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.call('POST', `/projects/${id}/approve`)))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
  })

  test('refuses members and bad bodies', async () => {
    const { id } = await server.plannedProject()
    await refusesMembers(server, 'POST', `/projects/${id}/approve`)
    await refusesBadBodies(server, 'POST', `/projects/${id}/approve`, {})
    assert.equal((await server.get(`/projects/${id}`)).status, 'spec_review')
  })

  test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown}/approve`, '/projects/x/approve']))
})

describe('POST /projects/:projectId/regenerate', () => {
  test('makes the next version, from the same the same', async () => {
    const { id, spec: first } = await server.plannedProject()
    const data = success(await server.call('POST', `/projects/${id}/regenerate`))
    shape(data, { status: 'spec_review', spec: { ...spec, version: 2 } })
    assert.deepEqual(data.spec.documents, first.documents)
    assert.deepEqual((await server.get(`/projects/${id}`)).spec, data.spec)
  })

  test('takes feedback in: notifications', async () => {
    const { id, spec: first } = await server.plannedProject(descriptions[5])
    assert.ok(!/notification/i.test(JSON.stringify(first.documents)), 'they are new')
    const { spec: second } = await server.post(`/projects/${id}/regenerate`, { feedback: 'add notifications' })
    contains(second.documents['SPEC.md'], /\*\*Notifications\.\*\*/)
    contains(second.documents['ROUTES.md'], /\/notifications/)
    contains(second.documents['ACCEPTANCE.md'], /## Notifications/)
    assert.deepEqual(second.openPoints, [])
  })

  test('remembers earlier feedback', async () => {
    const { id, spec: first } = await server.plannedProject(descriptions[5])
    await server.post(`/projects/${id}/regenerate`, { feedback: 'Add notifications.' })
    const { spec: third } = await server.post(`/projects/${id}/regenerate`, { feedback: 'Remove the search.' })
    assert.equal(third.version, 3)
    contains(third.documents['SPEC.md'], /\*\*Notifications\.\*\*/)
    contains(first.documents['ROUTES.md'], /`\/search`/)
    assert.ok(!/`\/search`/.test(third.documents['ROUTES.md']), 'the search is gone')
  })

  test('says what it did not understand', async () => {
    const { id } = await server.plannedProject()
    const feedback = 'Wobble the frobnicator sideways under moonlight'
    const { spec: second } = await server.post(`/projects/${id}/regenerate`, { feedback })
    assert.ok(second.openPoints.some((point) => point.includes('frobnicator')), JSON.stringify(second.openPoints))
    contains(second.documents['SPEC.md'], /frobnicator/)
    assert.deepEqual((await server.get(`/projects/${id}`)).spec.openPoints, second.openPoints)
  })

  test('takes an approval back', async () => {
    const { id } = await server.approvedProject()
    const { spec: second } = await server.post(`/projects/${id}/regenerate`, {})
    assert.equal(second.approvedAt, null)
    const read = await server.get(`/projects/${id}`)
    assert.deepEqual([read.status, read.spec.approvedAt], ['spec_review', null])
    refused(await server.call('POST', `/projects/${id}/runs`), 409)
  })

  test('follows a changed description', async () => {
    const { id, spec: first } = await server.plannedProject()
    await server.answer('PATCH', `/projects/${id}`, { name: 'Renamed', description: `${projectTool} Invoices for clients, too.` })
    const { spec: second } = await server.post(`/projects/${id}/regenerate`)
    assert.match(second.documents['SPEC.md'], /^# Renamed/)
    assert.notEqual(second.documents['DATA.md'], first.documents['DATA.md'])
    assert.match(second.documents['DATA.md'], /invoices/i)
  })

  test('has nothing to regenerate before there is a spec', async () => {
    const { id } = await server.draft()
    refused(await server.call('POST', `/projects/${id}/regenerate`, { feedback: 'More' }), 409)
    await server.post(`/projects/${id}/clarify`)
    refused(await server.call('POST', `/projects/${id}/regenerate`), 409)
  })

  for (const [what, body, field] of [
    ['feedback that is empty', { feedback: '' }, 'feedback'],
    ['blank feedback', { feedback: '  \n' }, 'feedback'],
    ['feedback that is null', { feedback: null }, 'feedback'],
    ['feedback that is a number', { feedback: 1 }, 'feedback'],
    ['feedback that is a list', { feedback: ['more'] }, 'feedback'],
    ['feedback that is too long', { feedback: 'é'.repeat(5001) }, 'feedback'],
    ['unknown fields', { comment: 'more' }, 'comment'],
  ]) {
    test(`refuses ${what}`, async () => {
      const { id } = await server.plannedProject()
      const answer = await server.call('POST', `/projects/${id}/regenerate`, body)
      refused(answer, 400, field)
      assert.deepEqual(faultsOf(answer), [field])
      assert.equal((await server.get(`/projects/${id}`)).spec.version, 1)
    })
  }

  test('refuses bad bodies', async () => {
    const { id } = await server.plannedProject()
    await refusesBadBodies(server, 'POST', `/projects/${id}/regenerate`, {})
  })

  test('is not there', () => sameNotFound(server, 'POST', [`/projects/${unknown}/regenerate`, '/projects/x/regenerate']))
})

describe('while a run is at work', () => {
  test('nothing is planned', async () => {
    const { id, questions } = await server.approvedProject()
    await server.post(`/projects/${id}/runs`)
    const before = await server.get(`/projects/${id}`)
    for (const [path, body] of [
      ['clarify'],
      ['answers', { answers: defaultAnswers(questions) }],
      ['approve'],
      ['regenerate', { feedback: 'Add notifications.' }],
    ]) {
      refused(await server.call('POST', `/projects/${id}/${path}`, body), 409)
    }
    assert.deepEqual(await server.get(`/projects/${id}`), before)
  })
})
