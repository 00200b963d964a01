// runs: from POST to the last merge of a run, beside the git command line doing the same merges one after the other.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { median, output, servePrazium, sleep } from './process.mjs'

const TIMES = 7
const description = 'A project management tool with team collaboration features, task boards, and time tracking.'

function defaultAnswer(question) {
  if (question.default !== undefined) return question.default
  if (question.type === 'boolean') return false
  if (question.type === 'text') return 'Nothing special'
  return question.type === 'single_choice' ? question.options[0] : [question.options[0]]
}

async function approvedProject(server) {
  const project = await server.call('POST', '/projects', { name: 'Bench', description })
  const { questions } = await server.call('POST', `/projects/${project.id}/clarify`)
  const answers = questions.map((question) => ({ questionId: question.id, answer: defaultAnswer(question) }))
  await server.call('POST', `/projects/${project.id}/answers`, { answers })
  await server.call('POST', `/projects/${project.id}/approve`)
  return project
}

async function allEvents(server, path) {
  const all = []
  for (;;) {
    const page = await server.call('GET', `${path}/events?limit=1000&afterSequence=${all.at(-1)?.sequence ?? 0}`)
    if (page.length === 0) return all
    all.push(...page)
  }
}

// Asks now and then, which costs the server little, until this holds of the run. Bounded.
async function until(server, path, holds) {
  for (let i = 0; i < 3000; i++) {
    const run = await server.call('GET', path)
    if (holds(run)) return run
    await sleep(20)
  }
  throw new Error('a run takes longer than a minute')
}

const isMerged = ({ tasks }) => tasks.length > 0 && tasks.every(({ status }) => status === 'succeeded')
const hasEnded = ({ status }) => ['succeeded', 'failed', 'cancelled'].includes(status)

async function runOnce(server) {
  const project = await approvedProject(server)
  const { id } = await server.call('POST', `/projects/${project.id}/runs`)
  const path = `/projects/${project.id}/runs/${id}`
  const merged = await until(server, path, (run) => isMerged(run) || hasEnded(run))
  if (!isMerged(merged)) throw new Error(`the run ended as ${merged.status}: ${merged.error}`)
  await server.call('POST', `${path}/cancel`) // verification has no peer
  await until(server, path, hasEnded)
  const events = await allEvents(server, path)
  const at = (event) => Date.parse(event.createdAt)
  const merges = events.filter((event) => event.eventType === 'MERGE_COMPLETED')
  const elapsed = at(merges.at(-1)) - at(events.find((event) => event.eventType === 'RUN_STARTED'))
  return { project, path, elapsed, events, merges }
}

const git = (...args) => output(['git', ...args], { env: gitEnv })
const gitEnv = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@localhost',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@localhost',
}

// Each task's files in a folder of its own, named by its place in mergeOrder.
async function extractTasks(folder, repository, merges) {
  let files = 0
  for (const [index, { payload }] of merges.entries()) {
    const to = join(folder, String(index + 1).padStart(3, '0'))
    const names = await git('-C', repository, 'diff', '--name-only', '-z', '--diff-filter=AM', `${payload.commitSha}^`, payload.commitSha)
    await mkdir(to, { recursive: true })
    files += names.split('\0').length - 1
    await git('-C', repository, `--work-tree=${to}`, 'checkout', payload.commitSha, '--', ...names.split('\0').slice(0, -1))
  }
  await rm(join(repository, 'index'), { force: true })
  return files
}

async function gitOnce(folder, tasks) {
  const repository = join(folder, 'repository.git')
  const integration = join(folder, 'integration')
  await mkdir(folder)
  await git('init', '--quiet', '--bare', '--initial-branch=main', repository)
  const tree = (await git('-C', repository, 'hash-object', '-t', 'tree', '-w', '/dev/null')).trim()
  const commit = (await git('-C', repository, 'commit-tree', tree, '-m', 'Begin')).trim()
  await git('-C', repository, 'update-ref', 'refs/heads/run/1', commit)
  await git('-C', repository, 'worktree', 'add', '--quiet', integration, 'run/1')
  const began = performance.now()
  const script = new URL('git-run.sh', import.meta.url).pathname
  await output(['sh', script, repository, integration, join(folder, 'wt'), tasks], { env: gitEnv })
  return performance.now() - began
}

// Leaves data/ with a project that has a spec and a run that ended, for the other measurements.
export async function measureRuns(folder) {
  const data = join(folder, 'data')
  const tasks = join(folder, 'tasks')
  const server = await servePrazium(data)
  const runs = []
  const peer = []
  let files = 0
  for (let i = 0; i < TIMES; i++) {
    runs.push(await runOnce(server))
    const { project, merges } = runs[i]
    if (i === 0) files = await extractTasks(tasks, join(data, 'repos', `${project.id}.git`), merges)
    peer.push(await gitOnce(join(folder, `git-${i}`), tasks))
  }
  const { project, path, events, merges } = runs.at(-1)
  const planned = await server.call('GET', `/projects/${project.id}`)
  const plain = await server.call('POST', '/projects', { name: 'Bench', description })
  await server.stop()
  await writeFile(join(folder, 'seed.json'), JSON.stringify({ projects: [plain, planned] }))
  return {
    result: { tasks: merges.length, files, events: events.length, run_ms: median(runs.map((run) => run.elapsed)), git_ms: median(peer) },
    data,
    plain,
    planned,
    path,
    events: events.length,
  }
}
