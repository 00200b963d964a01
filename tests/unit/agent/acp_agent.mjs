// acp_agent: an agent that speaks the Agent Client Protocol over its standard input and output, and follows the script
// that its first argument names. What it says on standard error is for the test.
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const script = process.argv[2]
const waiting = new Map()
let nextId = 100
let stop = () => {}

const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')
const tell = (text) => process.stderr.write(text + '\n')
// Once what was said is heard: standard error and output are read apart.
const ask = (method, params) =>
  new Promise((resolve) => {
    const id = nextId++
    waiting.set(id, resolve)
    send({ id, method, params })
  })
const update = (sessionId, content) => send({ method: 'session/update', params: { sessionId, update: content } })
const says = (sessionId, text) => update(sessionId, { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })
const options = [
  { optionId: 'always', name: 'Always', kind: 'allow_always' },
  { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
  { optionId: 'no', name: 'No', kind: 'reject_once' },
]

async function mayI(sessionId, toolCall) {
  const { result } = await ask('session/request_permission', { sessionId, toolCall, options })
  process.stdout.write(`permission ${result.outcome.optionId ?? result.outcome.outcome}\n`)
}

async function work(sessionId, prompt, cwd) {
  says(sessionId, 'I will ')
  says(sessionId, 'write it.')
  await mayI(sessionId, { toolCallId: 't1', kind: 'edit', locations: [{ path: `${cwd}/a.txt` }] })
  update(sessionId, { sessionUpdate: 'tool_call', toolCallId: 't1', title: 'Write a.txt', kind: 'edit', status: 'pending' })
  writeFileSync(`${cwd}/a.txt`, 'hi\n')
  update(sessionId, { sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed', content: [{ type: 'diff', path: `${cwd}/a.txt`, oldText: null, newText: 'hi\n' }] })
  await mayI(sessionId, { toolCallId: 't2', kind: 'edit', locations: [{ path: `${cwd}/../elsewhere` }] })
  const { error } = await ask('fs/read_text_file', { sessionId, path: '/etc/passwd' })
  process.stdout.write(`fs/read_text_file ${error.code}\n`)
  update(sessionId, { sessionUpdate: 'invented_tomorrow', what: {} })
  update(sessionId, { sessionUpdate: 'tool_call', toolCallId: 't3', title: 'npm test', kind: 'execute', status: 'in_progress', rawInput: { command: 'npm test' } })
  update(sessionId, { sessionUpdate: 'tool_call_update', toolCallId: 't3', status: 'completed', rawOutput: { output: '3 failed', metadata: { exit: 3 } } })
  says(sessionId, `Done: ${/# Task: (.*)/.exec(prompt)[1]}`)
  return { stopReason: 'end_turn', usage: { inputTokens: 10, cachedReadTokens: 5, outputTokens: 4 } }
}

const prompts = {
  work,
  linger: (sessionId, prompt, cwd) => (setInterval(() => {}, 1000), work(sessionId, prompt, cwd)),
  refuse: () => ({ stopReason: 'refusal' }),
  die: () => process.exit(5),
  garbage: async (sessionId, prompt, cwd) => {
    process.stdout.write('not JSON\n{"id":9}\n{"method":5}\n{"id":77,"result":null}\n{"method":"session/update"}\n{"jsonrpc":"2.0","id":null,"result":[]}\n[]\n')
    return work(sessionId, prompt, cwd)
  },
  wait: (sessionId) => new Promise((resolve) => {
    stop = () => (process.stdout.write('got session/cancel\n'), resolve({ stopReason: 'cancelled' }))
    process.stdout.write('waiting\n')
  }),
  deaf: () => (process.on('SIGTERM', () => {}), process.stdout.write('waiting\n'), setInterval(() => {}, 1000), new Promise(() => {})),
}

let cwd
const methods = {
  initialize: ({ protocolVersion, clientCapabilities }) => {
    if (protocolVersion !== 1 || clientCapabilities.fs.readTextFile || clientCapabilities.terminal) tell('unexpected capabilities')
    return { protocolVersion: script === 'old' ? 0 : 1, agentCapabilities: {}, authMethods: [] }
  },
  'session/new': (params) => {
    if (script === 'login') throw { code: -32000, message: 'Authentication required' }
    cwd = params.cwd
    return script === 'no-session' ? {} : { sessionId: 'session-1' }
  },
  'session/prompt': ({ sessionId, prompt }) => prompts[script](sessionId, prompt[0].text, cwd),
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (message.method === 'session/cancel') stop()
  else if (message.method)
    Promise.resolve()
      .then(() => methods[message.method](message.params))
      .then((result) => send({ id: message.id, result }), (error) => send({ id: message.id, error }))
  else waiting.get(message.id)?.(message)
}
