// graph: what a run's tasks must be, worked out anew: their order, their dependencies, and scopes that do not overlap.
import assert from 'node:assert/strict'
import { is, shape } from './expect.mjs'

// A pattern as steps: a character, '?' (one character of a name), '*' (any of them, also none), '**' (any at all).
function steps(pattern) {
  return pattern.match(/\*\*|[\s\S]/gu)
}

function accepts(step, character) {
  if (step === '**') return true
  if (step === '*' || step === '?') return character !== '/'
  return step === character
}

const isMany = (step) => step === '*' || step === '**'

// Whether some path matches both: a walk over the product of the two. '**' at any place counts as wider than it is, so
// that doubt counts as overlap.
export function scopesOverlap(a, b) {
  const [x, y] = [steps(a), steps(b)]
  const alphabet = [...new Set([...x, ...y].filter((step) => step.length === 1 && !'*?'.includes(step))), '/', '\0']
  const seen = new Set()
  const open = [[0, 0]]
  while (open.length) {
    const [i, j] = open.pop()
    if (seen.has(`${i} ${j}`)) continue
    seen.add(`${i} ${j}`)
    if (i === x.length && j === y.length) return true
    if (i < x.length && isMany(x[i])) open.push([i + 1, j])
    if (j < y.length && isMany(y[j])) open.push([i, j + 1])
    if (i === x.length || j === y.length) continue
    for (const character of alphabet) {
      if (accepts(x[i], character) && accepts(y[j], character)) open.push([isMany(x[i]) ? i : i + 1, isMany(y[j]) ? j : j + 1])
    }
  }
  return false
}

export function matches(pattern, path) {
  return scopesOverlap(pattern, path)
}

// All that each task waits for, directly or not, by id. Fails on a circle.
function allDependencies(tasks) {
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const known = new Map()
  const find = (id, path) => {
    assert.ok(!path.includes(id), `a circle: ${[...path, id].join(' → ')}`)
    if (!known.has(id)) {
      const all = new Set()
      for (const dependency of byId.get(id).dependencies) {
        assert.ok(byId.has(dependency), `${id} waits for ${dependency}, which is none`)
        all.add(dependency)
        for (const further of find(dependency, [...path, id])) all.add(further)
      }
      known.set(id, all)
    }
    return known.get(id)
  }
  for (const id of byId.keys()) find(id, [])
  return known
}

export function criteriaOf(acceptance) {
  return [...acceptance.matchAll(/^### (AC-\d+)\b/gm)].map(([, id]) => id)
}

// tasksJson of a run, against its ACCEPTANCE.md.
export function checkTasks({ tasks, mergeOrder }, acceptance) {
  assert.ok(tasks.length >= 5 && tasks.length <= 15, `${tasks.length} tasks`)
  for (const task of tasks) {
    shape(task, {
      id: is.matching(/^task-\d{3}$/),
      slug: is.matching(/^[a-z0-9]+(-[a-z0-9]+)*$/),
      description: is.string,
      instructions: is.string,
      dependencies: is.list(is.string),
      pathScope: is.list(is.string),
      expectedOutputs: is.list(is.string),
      criteria: is.list(is.string),
      parts: is.list(is.string),
    })
    assert.ok(task.pathScope.length > 0)
    for (const path of task.expectedOutputs) {
      assert.ok(task.pathScope.some((scope) => matches(scope, path)), `${path} lies outside ${task.slug}'s ${task.pathScope}`)
    }
  }
  assert.equal(new Set(tasks.map((task) => task.slug)).size, tasks.length)
  assert.deepEqual(tasks.map((task) => task.id), tasks.map((_, i) => `task-${String(i + 1).padStart(3, '0')}`))

  assert.deepEqual([...mergeOrder].sort(), tasks.map((task) => task.id))
  const before = allDependencies(tasks)
  for (const [id, all] of before) {
    for (const dependency of all) assert.ok(mergeOrder.indexOf(dependency) < mergeOrder.indexOf(id), `${dependency} is merged before ${id}`)
  }

  let side = 0
  for (const [i, one] of tasks.entries()) {
    for (const other of tasks.slice(i + 1)) {
      if (before.get(one.id).has(other.id) || before.get(other.id).has(one.id)) continue
      side++
      for (const a of one.pathScope) {
        for (const b of other.pathScope) assert.ok(!scopesOverlap(a, b), `${one.slug} ${a} and ${other.slug} ${b} overlap`)
      }
    }
  }
  assert.ok(side > 0, 'some tasks run side by side')

  const covered = new Set(tasks.flatMap((task) => task.criteria))
  const criteria = criteriaOf(acceptance)
  assert.ok(criteria.length > 0)
  assert.deepEqual(criteria, criteria.map((_, i) => `AC-${i + 1}`), 'criteria are numbered in order')
  assert.deepEqual(criteria.filter((id) => !covered.has(id)), [], 'criteria without a task')
  assert.deepEqual([...covered].filter((id) => !criteria.includes(id)), [], 'criteria that are none')
}
