// planned: the script of a model that plans an app and carries it out. An app is { questions, spec, tasks, work }: the
// first three are answers to the planner, work(task) are the answers in a task, one after the other.

// A step of a check, with everything that it must have.
export function step(note, method, path, status, { body, json = {}, contains = [], absent = [], save = {}, route = path } = {}) {
  return {
    note, as: '', method, path, status, headers: [], contentType: '', contains, absent,
    body: body === undefined ? '' : JSON.stringify(body),
    expectJson: Object.entries(json).map(([at, value]) => ({ path: at, value })),
    expectHeaders: [],
    expectAtLeast: [],
    save: Object.entries(save).map(([name, at]) => ({ name, path: at })),
    route: `${method} ${route}`,
  }
}

export const proof = (kind, steps = []) => ({ kind, steps, paths: [], contains: [] })
export const route = (method, path, summary, kind = 'api') => ({ method, path, kind, auth: false, summary })

// [[name, arguments], …] as the calls of an answer. Their ids are the same each time: requests that hold them can be replayed.
export const calls = (turn, list) => list.map(([name, args], index) => ({ id: `call_${turn}_${index}`, name, arguments: args }))

// { purpose: 'questions' | 'spec' | 'decompose' | the slug of a task, turn: from 0 } of a request in any format.
export function purposeOf({ body }, tasks) {
  const messages = body.messages ?? body.input
  const text = JSON.stringify(messages.find(({ role }) => role === 'user'))
  // An answer may be several items in the Responses format.
  const isOurs = (item) => item?.role === 'assistant' || ['function_call', 'reasoning'].includes(item?.type)
  const turn = messages.filter((item, index) => isOurs(item) && !isOurs(messages[index - 1])).length
  if (text.includes('Ask them what must be known')) return { purpose: 'questions', turn }
  if (text.includes('Write the spec of this app')) return { purpose: 'spec', turn }
  if (text.includes('Take the building of')) return { purpose: 'decompose', turn }
  const task = tasks.find(({ instructions }) => text.includes(instructions))
  if (!task) throw new Error(`nobody knows what is asked for: ${text.slice(0, 500)}`)
  return { purpose: task.slug, turn }
}

export function answerOf(app, { purpose, turn }) {
  if (purpose === 'questions') return { json: { questions: app.questions } }
  if (purpose === 'spec') return { json: app.spec }
  if (purpose === 'decompose') return { json: { tasks: app.tasks, mergeOrder: app.tasks.map(({ slug }) => slug) } }
  return app.work(app.tasks.find(({ slug }) => slug === purpose))[turn] ?? { text: 'There is nothing left to do.' }
}

// For ModelServer. faults: { purpose: [step, …] }, played first, each at one request for it.
export function scriptOf(app, faults = {}) {
  const left = Object.fromEntries(Object.entries(faults).map(([purpose, steps]) => [purpose, [...steps]]))
  return (request) => {
    const asked = purposeOf(request, app.tasks)
    return { ...answerOf(app, asked), ...left[asked.purpose]?.shift() }
  }
}
