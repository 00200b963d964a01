// script: a model that plans the reading list, and works in codex and in opencode by the tools that each of them brings.
import { answerOf } from '../models/planned.mjs'
import { files, readingList, tasks } from '../models/reading_list.mjs'

const patch = (paths) => ['*** Begin Patch', ...paths.flatMap((path) => [`*** Add File: ${path}`, ...files[path].replace(/\n$/, '').split('\n').map((line) => '+' + line)]), '*** End Patch'].join('\n')

// What a task takes, answer by answer, by the tools of whoever asks.
const work = {
  codex: ({ expectedOutputs }) => [
    { text: 'I write the files.', toolCalls: [{ name: 'exec_command', arguments: { cmd: `apply_patch <<'PATCH'\n${patch(expectedOutputs)}\nPATCH` } }] },
    { toolCalls: [{ name: 'exec_command', arguments: { cmd: `wc -l '${expectedOutputs[0]}'` } }] },
  ],
  opencode: ({ expectedOutputs }) => [
    { text: 'I write the files.', toolCalls: expectedOutputs.map((path) => ({ name: 'write', arguments: { filePath: path, content: files[path] } })) },
    { toolCalls: [{ name: 'bash', arguments: { command: `wc -l '${expectedOutputs[0]}'`, description: 'Counts lines' } }] },
  ],
}

const isOurs = (item) => item.role === 'assistant' || item.type === 'function_call'

// The script of a model server. gate(slug): awaited before the first answer of a task; answers a step to play in its place.
export function script(gate = () => {}) {
  return async ({ body }) => {
    const messages = body.messages ?? body.input
    const text = JSON.stringify(messages.filter(({ role }) => role === 'user'))
    const tools = new Set((body.tools ?? []).map((tool) => tool.name ?? tool.function?.name))
    const agent = tools.has('exec_command') ? 'codex' : tools.has('write') ? 'opencode' : undefined
    if (text.includes('Take the building of')) return answerOf(readingList, { purpose: 'decompose' })
    if (text.includes('Write the spec of this app')) return answerOf(readingList, { purpose: 'spec' })
    if (text.includes('Ask them what must be known')) return answerOf(readingList, { purpose: 'questions' })
    if (!agent) return { text: 'Reading list' } // opencode asks for a title of its session
    const task = tasks.find(({ instructions }) => text.includes(JSON.stringify(instructions).slice(1, -1)))
    if (!task) throw new Error(`nobody knows what is asked for: ${text.slice(0, 500)}`)
    // Several calls of one answer are as many items in the Responses format: what follows a result, or the user, begins one.
    const turn = messages.filter((item, index) => isOurs(item) && !(index > 0 && isOurs(messages[index - 1]))).length
    const step = turn === 0 && (await gate(task.slug))
    return step || (work[agent](task)[turn] ?? { text: `Wrote ${task.expectedOutputs.length} files.` })
  }
}
