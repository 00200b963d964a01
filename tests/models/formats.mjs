// formats: the four wire formats from the server's side, and what a real server refuses.
const sse = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
const line = (data) => (typeof data === 'string' ? data : JSON.stringify(data)) + '\n'
const pieces = (text) => (text.length > 4 ? [text.slice(0, 3), text.slice(3, -1), text.slice(-1)] : text ? [text] : [])
const total = (usage) => usage.input + usage.cachedInput + usage.cacheWrite
const openaiError = (status, error) => ({ error: { message: 'failed', param: null, code: null, type: 'invalid_request_error', ...error } })

// ---- Anthropic Messages. ----

const anthropicStop = { end: 'end_turn', tools: 'tool_use', length: 'max_tokens', refusal: 'refusal', pause: 'pause_turn' }

function anthropicUsage(usage, output) {
  if (!usage) return {}
  return { input_tokens: usage.input, cache_creation_input_tokens: usage.cacheWrite, cache_read_input_tokens: usage.cachedInput, output_tokens: output }
}

function anthropicBlocks(step) {
  const blocks = []
  if (step.thinking !== undefined)
    blocks.push({ start: { type: 'thinking', thinking: '', signature: '' }, deltas: [...pieces(step.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })), { type: 'signature_delta', signature: 'c2lnbmF0dXJl' }], whole: { type: 'thinking', thinking: step.thinking, signature: 'c2lnbmF0dXJl' } })
  if (step.chunks.length) blocks.push({ start: { type: 'text', text: '' }, deltas: step.chunks.map((text) => ({ type: 'text_delta', text })), whole: { type: 'text', text: step.chunks.join('') } })
  for (const call of step.calls) {
    const head = { type: 'tool_use', id: call.id, name: call.name }
    const deltas = call.empty ? [] : ['', ...pieces(call.text)].map((partial_json) => ({ type: 'input_json_delta', partial_json }))
    blocks.push({ start: { ...head, input: {} }, deltas, whole: { ...head, input: call.text } })
  }
  return blocks
}

function anthropicStream(step, model) {
  const event = (data) => sse(data, data.type)
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, stop_sequence: null, usage: anthropicUsage(step.usage, 1) }
  const parts = [event({ type: 'message_start', message }), event({ type: 'ping' })]
  if (step.unknown) parts.push(event({ type: 'yet_to_be_invented', index: 7 }), ': a comment\n\n')
  anthropicBlocks(step).forEach((block, index) => {
    parts.push(event({ type: 'content_block_start', index, content_block: block.start }))
    if (step.unknown) parts.push(event({ type: 'content_block_delta', index, delta: { type: 'citations_delta', citation: {} } }))
    for (const delta of block.deltas) parts.push(event({ type: 'content_block_delta', index, delta }))
    parts.push(event({ type: 'content_block_stop', index }))
  })
  const usage = step.usage ? { output_tokens: step.usage.output } : {}
  parts.push(event({ type: 'message_delta', delta: { stop_reason: anthropicStop[step.stop], stop_sequence: null }, usage }), event({ type: 'message_stop' }))
  return parts
}

const anthropic = {
  name: 'anthropic',
  path: '/v1/messages',
  contentType: 'text/event-stream; charset=utf-8',
  lastEvents: 1,
  ping: sse({ type: 'ping' }, 'ping'),
  raw: (text) => sse(text, 'content_block_delta'),
  error: (status, error) => ({ type: 'error', error: { type: 'invalid_request_error', message: 'failed', ...error } }),
  errorEvent: (error) => sse({ type: 'error', error }, 'error'),
  stream: anthropicStream,
  whole: (step, model) => ({
    id: 'msg_1', type: 'message', role: 'assistant', model, content: anthropicBlocks(step).map(({ whole }) => (whole.type === 'tool_use' ? { ...whole, input: JSON.parse(whole.input) } : whole)),
    stop_reason: anthropicStop[step.stop], stop_sequence: null, usage: anthropicUsage(step.usage, step.usage?.output),
  }),
}

// ---- OpenAI Responses. ----

function responsesItems(step) {
  const status = step.stop === 'length' ? 'incomplete' : 'completed'
  const items = []
  if (step.thinking !== undefined) items.push({ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: step.thinking }], encrypted_content: 'c2VhbGVk' })
  if (step.chunks.length) {
    const content = step.stop === 'refusal' ? { type: 'refusal', refusal: step.chunks.join('') } : { type: 'output_text', text: step.chunks.join(''), annotations: [] }
    items.push({ type: 'message', id: 'msg_1', status, role: 'assistant', content: [content] })
  }
  for (const call of step.calls) items.push({ type: 'function_call', id: `fc_${call.id}`, call_id: call.id, name: call.name, arguments: call.empty ? '{}' : call.text, status })
  return items
}

function responsesWhole(step, model, output = responsesItems(step)) {
  const usage = step.usage && { input_tokens: total(step.usage), input_tokens_details: { cached_tokens: step.usage.cachedInput }, output_tokens: step.usage.output, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: total(step.usage) + step.usage.output }
  const response = { id: 'resp_1', object: 'response', status: 'completed', model, output, usage, error: null, incomplete_details: null }
  if (step.stop === 'length') Object.assign(response, { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } })
  return response
}

function responsesStream(step, model) {
  let sequence_number = 0
  const event = (data) => sse({ ...data, sequence_number: sequence_number++ }, data.type)
  const begun = { id: 'resp_1', object: 'response', status: 'in_progress', model, output: [], usage: null }
  const parts = [event({ type: 'response.created', response: begun }), event({ type: 'response.in_progress', response: begun })]
  if (step.unknown) parts.push(event({ type: 'response.yet_to_be_invented', item: {} }))
  responsesItems(step).forEach((item, output_index) => {
    parts.push(event({ type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: item.content && [], arguments: item.arguments && '' } }))
    if (item.type === 'message' && step.stop !== 'refusal') {
      for (const delta of step.chunks) parts.push(event({ type: 'response.output_text.delta', output_index, content_index: 0, item_id: item.id, delta }))
      parts.push(event({ type: 'response.output_text.done', output_index, content_index: 0, item_id: item.id, text: step.chunks.join('') }))
    }
    if (item.type === 'function_call') {
      for (const delta of pieces(item.arguments)) parts.push(event({ type: 'response.function_call_arguments.delta', output_index, item_id: item.id, delta }))
      parts.push(event({ type: 'response.function_call_arguments.done', output_index, item_id: item.id, arguments: item.arguments }))
    }
    parts.push(event({ type: 'response.output_item.done', output_index, item }))
  })
  parts.push(event({ type: step.stop === 'length' ? 'response.incomplete' : 'response.completed', response: responsesWhole(step, model) }))
  return parts
}

const responses = {
  name: 'openai',
  path: '/v1/responses',
  contentType: 'text/event-stream',
  lastEvents: 1,
  ping: ': keep-alive\n\n',
  raw: (text) => sse(text, 'response.output_text.delta'),
  error: openaiError,
  errorEvent: ({ type, code, message }) => sse({ type: 'response.failed', sequence_number: 9, response: { status: 'failed', error: { code: code ?? type, message } } }, 'response.failed'),
  stream: responsesStream,
  whole: responsesWhole,
}

// ---- Chat Completions. ----

const chatStop = { end: 'stop', tools: 'tool_calls', length: 'length', refusal: 'content_filter', pause: 'stop' }

const chatUsage = (usage) => usage && { prompt_tokens: total(usage), completion_tokens: usage.output, total_tokens: total(usage) + usage.output, prompt_tokens_details: { cached_tokens: usage.cachedInput } }

function chatStream(step, model) {
  const chunk = (delta, finish_reason = null) => sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason }] })
  const parts = [chunk({ role: 'assistant', content: '' })]
  if (step.unknown) parts.push(': a comment\n\n', sse({ object: 'yet.to.be.invented', model, choices: [] }), chunk({ invented: { deep: [1] } }))
  for (const content of step.chunks) parts.push(chunk({ content }))
  step.calls.forEach((call, index) => {
    parts.push(chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }))
    for (const piece of pieces(call.empty ? '{}' : call.text)) parts.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
  })
  parts.push(chunk({}, chatStop[step.stop]))
  if (step.usage) parts.push(sse({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices: [], usage: chatUsage(step.usage) }))
  parts.push(sse('[DONE]'))
  return parts
}

const chat = {
  name: 'chat',
  path: '/v1/chat/completions',
  contentType: 'text/event-stream',
  lastEvents: 3,
  ping: ': PROCESSING\n\n',
  raw: (text) => sse(text),
  error: openaiError,
  errorEvent: (error) => sse({ error }),
  stream: chatStream,
  whole: (step, model) => ({
    id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, usage: chatUsage(step.usage),
    choices: [{ index: 0, finish_reason: chatStop[step.stop], message: {
      role: 'assistant', content: step.chunks.join('') || null,
      ...(step.calls.length && { tool_calls: step.calls.map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: call.text } })) }),
    } }],
  }),
}

// ---- Ollama. ----

function ollamaCalls(step) {
  return step.calls.map((call) => {
    let parsed = call.text
    try {
      parsed = JSON.parse(call.text)
    } catch {
      // sent as it is
    }
    return { function: { name: call.name, arguments: parsed } }
  })
}

function ollamaEnd(step, model) {
  const usage = step.usage && { prompt_eval_count: total(step.usage), eval_count: step.usage.output }
  return { model, created_at: '2025-01-01T00:00:00Z', message: { role: 'assistant', content: '' }, done: true, done_reason: step.stop === 'length' ? 'length' : 'stop', total_duration: 1, ...usage }
}

function ollamaStream(step, model) {
  const piece = (message) => line({ model, created_at: '2025-01-01T00:00:00Z', message: { role: 'assistant', content: '', ...message }, done: false })
  const parts = [piece({})]
  if (step.unknown) parts.push(line({ invented: true }))
  if (step.thinking !== undefined) for (const thinking of pieces(step.thinking)) parts.push(piece({ thinking }))
  for (const content of step.chunks) parts.push(piece({ content }))
  if (step.calls.length) parts.push(piece({ tool_calls: ollamaCalls(step) }))
  parts.push(line(ollamaEnd(step, model)))
  return parts
}

const ollama = {
  name: 'ollama',
  path: '/api/chat',
  contentType: 'application/x-ndjson',
  streamsByDefault: true,
  lastEvents: 1,
  ping: '\n',
  raw: line,
  error: (status, error) => ({ error: error.message ?? 'failed' }),
  errorEvent: (error) => line({ error: error.message }),
  stream: ollamaStream,
  whole: (step, model) => ({ ...ollamaEnd(step, model), message: { role: 'assistant', content: step.chunks.join(''), ...(step.calls.length && { tool_calls: ollamaCalls(step) }) } }),
}

export const formats = { anthropic, openai: responses, chat, ollama }

// ---- What real servers refuse. ----

const invalid = (message) => ({ kind: 'status', status: 400, error: { type: 'invalid_request_error', message } })

function refuseKey(name, headers, key) {
  const given = name === 'anthropic' ? headers['x-api-key'] : /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1]
  if (key === undefined || given === key) return null
  const error = name === 'anthropic' ? { type: 'authentication_error', message: 'invalid x-api-key' } : { type: 'invalid_request_error', code: 'invalid_api_key', message: `Incorrect API key provided: ${given}` }
  return { kind: 'status', status: 401, error }
}

// Each call is answered in the very next message, and each answer has its call.
function refuseAnthropic(headers, body) {
  if (headers['anthropic-version'] !== '2023-06-01') return 'anthropic-version: header is required'
  if (!Number.isInteger(body.max_tokens)) return 'max_tokens: Field required'
  if (JSON.stringify(body).split('"cache_control"').length > 5) return 'A maximum of 4 blocks with cache_control may be provided.'
  let open = new Set()
  for (const [index, message] of body.messages.entries()) {
    const content = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
    if (!content.length) return `messages.${index}: content must not be empty`
    for (const block of content) {
      if (block.type === 'text' && !block.text) return 'text content blocks must be non-empty'
      if (block.type === 'thinking' && block.signature !== 'c2lnbmF0dXJl') return 'Invalid `signature` in `thinking` block'
      if (block.type === 'tool_result' && !open.delete(block.tool_use_id)) return `unexpected tool_use_id ${block.tool_use_id}`
      if (block.type === 'tool_use' && typeof block.input !== 'object') return 'tool_use.input: Input should be a valid dictionary'
    }
    if (open.size) return `tool_use ids were found without tool_result blocks: ${[...open]}`
    open = new Set(content.filter(({ type }) => type === 'tool_use').map(({ id }) => id))
  }
  return open.size ? 'tool_use without tool_result' : null
}

function refuseResponses(headers, body) {
  const calls = new Set()
  if (body.messages) return "Unknown parameter: 'messages'."
  for (const item of Array.isArray(body.input) ? body.input : []) {
    if (item.type === 'function_call') calls.add(item.call_id)
    if (item.type === 'function_call' && typeof item.arguments !== 'string') return 'arguments: expected a string'
    if (item.type === 'function_call_output' && !calls.delete(item.call_id)) return `No tool call found for function call output with call_id ${item.call_id}.`
    if (item.type === 'reasoning' && item.encrypted_content !== 'c2VhbGVk') return 'The encrypted content could not be verified.'
    if (item.type === 'reasoning' && item.status) return "Unknown parameter: 'status'."
  }
  return calls.size ? `No tool output found for function call ${[...calls][0]}.` : null
}

function refuseChat(headers, body) {
  let open = new Set()
  for (const message of body.messages ?? []) {
    if (message.role === 'tool' ? !open.delete(message.tool_call_id) : open.size) return "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    for (const call of message.tool_calls ?? []) {
      if (typeof call.function.arguments !== 'string') return 'tool_calls.function.arguments: expected a string'
      open.add(call.id)
    }
  }
  return open.size ? 'tool_calls without answers' : null
}

function refuseOllama(headers, body) {
  for (const message of body.messages ?? []) {
    if (typeof message.content !== 'string') return 'json: cannot unmarshal content into Go struct field'
    for (const call of message.tool_calls ?? []) if (typeof call.function.arguments !== 'object') return 'json: cannot unmarshal string into arguments'
  }
  return null
}

const rules = { anthropic: refuseAnthropic, openai: refuseResponses, chat: refuseChat, ollama: refuseOllama }

// A fault to answer with, or null.
export function refusals(name, headers, body, key) {
  const refused = refuseKey(name, headers, key)
  if (refused) return refused
  if (!body.model) return invalid('model is required')
  if (name !== 'openai' && !body.messages?.length) return invalid('messages: at least one message is required')
  const message = rules[name](headers, body)
  return message ? invalid(message) : null
}
