// script: renders the OpenAPI document as a reference. Everything is made as nodes, so that no text becomes markup.
'use strict'

const byId = (id) => document.getElementById(id)
const methods = ['get', 'post', 'put', 'patch', 'delete']
const schemaPrefix = '#/components/schemas/'
let api

// node('p', {class: 'x'}, 'text', otherNode, …): what is null or undefined is left out.
function node(name, attributes, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes ?? {})) if (value != null) made.setAttribute(key, value)
  made.append(...children.flat().filter((child) => child != null))
  return made
}

function resolve(value) {
  if (!value || !value.$ref) return value
  return value.$ref.slice(2).split('/').reduce((at, name) => at && at[name.replaceAll('~1', '/').replaceAll('~0', '~')], api)
}

const nameOf = (schema) => (schema.$ref?.startsWith(schemaPrefix) ? schema.$ref.slice(schemaPrefix.length) : undefined)

// ---- Markdown, as much of it as the document has: paragraphs, tables, bold, code. ----

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (part.startsWith('`')) return node('code', null, part.slice(1, -1))
    return part.startsWith('**') ? node('strong', null, part.slice(2, -2)) : part
  })
}

function tableOf(lines) {
  const [head, , ...rows] = lines.map((line) => line.replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim()))
  const row = (cells, name) => node('tr', null, cells.map((cell) => node(name, null, inline(cell))))
  return node('table', null, node('thead', null, row(head, 'th')), node('tbody', null, rows.map((cells) => row(cells, 'td'))))
}

function markdown(text) {
  return (text ?? '').split(/\n\n+/).filter((block) => block.trim()).map((block) => {
    const lines = block.trim().split('\n')
    return lines.length > 2 && lines.every((line) => line.startsWith('|')) ? tableOf(lines) : node('p', null, inline(block.trim()))
  })
}

// ---- Schemas ----

function typeOf(schema) {
  const name = nameOf(schema)
  if (name) return node('a', { href: `#schema-${name}` }, name)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return node('span', null, choices.flatMap((one, i) => (i ? [' or ', typeOf(one)] : [typeOf(one)])))
  if (schema.items) return node('span', null, 'array of ', typeOf(schema.items))
  if (!schema.type) return schema.enum ? 'string' : 'any'
  const words = [schema.type].flat().join(' or ')
  return schema.format ? `${words}, ${schema.format}` : words
}

function limitsOf(schema) {
  const said = []
  const word = (value) => node('code', null, typeof value === 'string' ? value : JSON.stringify(value))
  if (schema.enum) said.push(['one of ', ...schema.enum.flatMap((value, i) => (i ? [' ', word(value)] : [word(value)]))])
  if (schema.default !== undefined) said.push(['default ', word(schema.default)])
  if (schema.minimum !== undefined) said.push([`from ${schema.minimum}`])
  if (schema.maximum !== undefined && schema.maximum < 2 ** 31 - 1) said.push([`to ${schema.maximum}`])
  if (schema.maxLength !== undefined) said.push([`${schema.minLength ?? 0} to ${schema.maxLength} characters`])
  if (schema.maxItems !== undefined) said.push([`${schema.minItems ?? 0} to ${schema.maxItems} items`])
  if (said.length === 0) return null
  return node('p', { class: 'limits' }, said.flatMap((part, i) => (i ? [' · ', ...part] : part)))
}

// The object whose members are worth showing below a field: itself, an item, the one choice that is an object.
function innerOf(schema) {
  const here = resolve(schema)
  if (here.properties) return here
  if (here.items) return innerOf(here.items)
  const found = (here.anyOf ?? here.oneOf ?? []).map(innerOf).filter(Boolean)
  return found.length === 1 ? found[0] : undefined
}

// Members are made when they are looked at: schemas may go in circles.
function unfolding(title, make) {
  const details = node('details', null, node('summary', null, title))
  details.addEventListener('toggle', () => details.children.length === 1 && details.append(node('div', { class: 'nested' }, make())), { once: true })
  return details
}

function field(name, schema, isRequired, description) {
  const inner = innerOf(schema)
  const own = resolve(schema)
  return node('div', null,
    node('dt', null, node('code', null, name), node('span', { class: 'type' }, typeOf(schema)), isRequired ? node('span', { class: 'must' }, 'required') : null),
    node('dd', null, markdown(description ?? schema.description ?? own.description), limitsOf(nameOf(schema) ? {} : own), inner ? unfolding('members', () => fieldsOf(inner)) : null))
}

function fieldsOf(schema) {
  const here = resolve(schema)
  const rows = Object.entries(here.properties ?? {}).map(([name, inner]) => field(name, inner, here.required?.includes(name)))
  return node('dl', { class: 'fields' }, rows)
}

function schemaBody(schema) {
  const inner = innerOf(schema), here = resolve(schema)
  if (inner) return fieldsOf(inner)
  const choices = (here.oneOf ?? []).filter((one) => one.properties) // several objects: one below the other
  if (choices.length) return node('div', null, choices.map((one) => node('div', null, markdown(one.description), fieldsOf(one))))
  return node('div', null, node('p', null, typeOf(here)), limitsOf(here))
}

// ---- Samples ----

function highlighted(text) {
  const parts = text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|\b-?\d+(?:\.\d+)?\b|\b(?:true|false|null)\b)/)
  return parts.map((part, i) => (i % 2 ? node('span', { class: part.endsWith(':') ? 'k' : part.startsWith('"') ? 's' : 'n' }, part) : part))
}

function sample(title, text, isJson) {
  const copy = node('button', { type: 'button' }, 'copy')
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text)
    copy.textContent = 'copied'
    setTimeout(() => (copy.textContent = 'copy'), 1200)
  })
  return node('figure', null, node('figcaption', null, title, copy), node('pre', { tabindex: '0' }, node('code', null, isJson ? highlighted(text) : text)))
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

function exampleOf(parameter) {
  const schema = resolve(parameter.schema)
  return String(parameter.example ?? schema.examples?.[0] ?? schema.default ?? schema.enum?.[0] ?? (schema.type === 'integer' ? schema.minimum ?? 1 : parameter.name === 'path' ? 'src/app/page.tsx' : `{${parameter.name}}`))
}

function curlOf(path, method, operation, parameters) {
  const concrete = path.replace(/\{(\w+)\}/g, (_, name) => exampleOf(parameters.find((one) => one.name === name)))
  const query = parameters.filter((one) => one.in === 'query' && one.required).map((one) => `${one.name}=${encodeURIComponent(exampleOf(one))}`)
  const address = location.origin + concrete + (query.length ? `?${query.join('&')}` : '')
  const media = Object.entries(resolve(operation.requestBody)?.content ?? {})[0]
  const success = successOf(operation)[1]
  const answers = Object.keys(success?.content ?? {})
  const lines = [`curl ${answers.includes('text/event-stream') ? '-N ' : answers.includes('application/zip') ? '-OJ ' : ''}${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${quoted(address)}`]
  if (operation.security?.length) lines.push('-H "Authorization: Bearer $PRAZIUM_KEY"')
  const body = media && mediaExample(media[1])
  if (body !== undefined) lines.push(`-H ${quoted(`Content-Type: ${media[0]}`)}`, `-d ${quoted(typeof body === 'string' ? body : JSON.stringify(body, null, 2))}`)
  return lines.join(' \\\n  ')
}

const mediaExample = (media) => media.example ?? Object.values(media.examples ?? {})[0]?.value ?? resolve(media.schema)?.examples?.[0]

function successOf(operation) {
  const found = Object.entries(operation.responses).find(([status]) => Number(status) < 300)
  return found ? [found[0], resolve(found[1])] : [undefined, undefined]
}

// ---- Operations ----

function statusOf(status, response) {
  const details = node('details', { class: 'status' }, node('summary', null, node('code', { class: Number(status) < 400 ? 'ok' : 'bad' }, status), node('span', null, inline(response.description ?? ''))))
  const fill = () => {
    if (details.children.length > 1) return
    const headers = Object.entries(response.headers ?? {}).map(([name, header]) => field(name, resolve(header).schema, false, resolve(header).description))
    const bodies = Object.entries(response.content ?? {}).map(([media, { schema, example }]) => node('div', null, node('h4', null, media), schema ? schemaBody(schema) : null, Number(status) >= 400 && example ? sample('example', JSON.stringify(example, null, 2), true) : null))
    details.append(node('div', { class: 'nested' }, bodies, headers.length ? [node('h4', null, 'Headers'), node('dl', { class: 'fields' }, headers)] : null))
  }
  details.addEventListener('toggle', fill)
  return details
}

// Successes, and errors behind a line that names them: most are the same everywhere.
function answersOf(operation) {
  const all = Object.entries(operation.responses).map(([code, response]) => [code, resolve(response)])
  const isError = ([code]) => !(Number(code) < 400) // 'default', too
  const errors = all.filter(isError)
  const folded = node('details', { class: 'status' }, node('summary', null, node('code', { class: 'bad' }, 'errors'), node('span', null, errors.map(([code]) => code).join(' '))))
  folded.append(node('div', { class: 'nested' }, errors.map(([code, response]) => statusOf(code, response))))
  return [...all.filter((one) => !isError(one)).map(([code, response]) => statusOf(code, response)), folded]
}

function parametersOf(parameters) {
  const titles = { path: 'Path', query: 'Query', header: 'Headers', cookie: 'Cookies' }
  return Object.entries(titles).flatMap(([where, title]) => {
    const here = parameters.filter((one) => one.in === where)
    if (here.length === 0) return []
    return [node('h4', null, title), node('dl', { class: 'fields' }, here.map((one) => field(one.name, one.schema, one.required, one.description)))]
  })
}

function addressOf(method, path) {
  const parts = path.split(/(\{\w+\})/).map((part) => (part.startsWith('{') ? node('em', null, part) : part))
  return node('p', { class: 'address' }, node('span', { class: `verb ${method}` }, method), node('code', null, parts))
}

function whoOf({ security }) {
  if (!security?.length) return 'Needs no key.'
  const isOptional = security.some((one) => Object.keys(one).length === 0)
  return isOptional ? 'Needs an API key or a session, but not always.' : 'Needs an API key or a session.'
}

function operationNode({ path, method, operation, parameters }) {
  const [status, success] = successOf(operation)
  const body = resolve(operation.requestBody)
  const media = Object.entries(body?.content ?? {})[0]
  const hasMembers = media && (media[0] !== 'application/json' || Object.keys(resolve(media[1].schema).properties ?? {}).length > 0)
  const example = Object.entries(success?.content ?? {}).map(([type, one]) => [type, mediaExample(one)]).find(([, value]) => value !== undefined)
  const text = node('div', null,
    node('h3', null, node('a', { href: `#${operation.operationId}` }, operation.summary)),
    addressOf(method, path),
    markdown(operation.description),
    node('p', { class: 'who' }, whoOf(operation)),
    parametersOf(parameters),
    hasMembers ? [node('h4', null, body.required ? 'Body, required' : 'Body'), media[1].schema ? schemaBody(media[1].schema) : null] : null,
    node('h4', null, 'Answers'),
    answersOf(operation))
  const samples = node('div', { class: 'samples' },
    sample('curl', curlOf(path, method, operation, parameters)),
    example ? sample(`${status} ${example[0]}`, typeof example[1] === 'string' ? example[1] : JSON.stringify(example[1], null, 2), typeof example[1] !== 'string') : null)
  return node('section', { class: 'operation', id: operation.operationId }, text, samples)
}

function schemaNode(name, schema) {
  const example = schema.examples?.[0]
  return node('section', { class: 'schema', id: `schema-${name}` },
    node('h3', null, node('a', { href: `#schema-${name}` }, name)), markdown(schema.description), schemaBody(schema),
    example !== undefined && schema.properties ? unfolding('example', () => sample(name, JSON.stringify(example, null, 2), true)) : null)
}

// ---- The page ----

function operations() {
  return Object.entries(api.paths).flatMap(([path, item]) => methods.filter((method) => item[method]).map((method) => ({
    path, method, operation: item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve),
  })))
}

// A group of the contents: heading and links, each with the words that it is found by.
function contentsOf(title, links) {
  const items = links.map(({ href, verb, text, words }) => {
    const item = node('li', null, node('a', { href, title: text }, verb ? node('span', { class: `verb ${verb}` }, verb) : null, node('span', null, text)))
    item.words = `${title} ${text} ${words}`.toLowerCase()
    return item
  })
  return node('div', null, node('h2', null, title), node('ul', null, items))
}

function fill() {
  const main = byId('main')
  const contents = byId('contents')
  const all = operations()
  document.title = `${api.info.title} API ${api.info.version}`
  main.replaceChildren(node('div', { id: 'top' }, node('h1', null, `${api.info.title} API`),
    node('p', { class: 'version' }, `Version ${api.info.version} · OpenAPI ${api.openapi} · `, node('a', { href: '/v1/openapi.json' }, 'the document')),
    node('div', { class: 'intro' }, markdown(api.info.description))))
  for (const tag of api.tags) {
    const here = all.filter(({ operation }) => operation.tags.includes(tag.name))
    if (here.length === 0) continue
    main.append(node('div', { class: 'group' }, node('h2', null, tag.name), markdown(tag.description)), ...here.map(operationNode))
    contents.append(contentsOf(tag.name, here.map(({ path, method, operation }) => ({ href: `#${operation.operationId}`, verb: method, text: operation.summary, words: `${path} ${operation.operationId}` }))))
  }
  const hooks = Object.entries(api.webhooks ?? {}).flatMap(([name, item]) => methods.filter((method) => item[method]).map((method) => ({ path: name, method, operation: item[method], parameters: (item[method].parameters ?? []).map(resolve) })))
  if (hooks.length) {
    main.append(node('div', { class: 'group' }, node('h2', null, 'Webhook messages'), node('p', null, 'What is sent to the addresses that were registered.')), ...hooks.map(messageNode))
    contents.append(contentsOf('Webhook messages', hooks.map(({ path }) => ({ href: `#message-${path}`, text: path, words: '' }))))
  }
  const schemas = Object.entries(api.components.schemas)
  main.append(node('div', { class: 'group' }, node('h2', null, 'Schemas')), ...schemas.map(([name, schema]) => schemaNode(name, schema)))
  contents.append(contentsOf('Schemas', schemas.map(([name]) => ({ href: `#schema-${name}`, text: name, words: '' }))), node('p', { class: 'nothing', hidden: '' }, 'Nothing is called so.'))
}

function messageNode({ path, operation, parameters }) {
  const media = Object.entries(resolve(operation.requestBody)?.content ?? {})[0]
  const example = media && mediaExample(media[1])
  return node('section', { class: 'operation', id: `message-${path}` },
    node('div', null, node('h3', null, node('a', { href: `#message-${path}` }, path)), markdown(operation.description ?? operation.summary), parametersOf(parameters), media ? [node('h4', null, 'Body'), schemaBody(media[1].schema)] : null),
    node('div', { class: 'samples' }, example !== undefined ? sample(media[0], JSON.stringify(example, null, 2), true) : null))
}

// ---- Search, keys, theme ----

function search() {
  const words = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean)
  let found = 0
  for (const group of byId('contents').querySelectorAll('div')) {
    let shown = 0
    for (const item of group.querySelectorAll('li')) {
      item.hidden = !words.every((word) => item.words.includes(word))
      shown += !item.hidden
    }
    group.hidden = shown === 0
    found += shown
  }
  byId('contents').querySelector('.nothing').hidden = found > 0
}

const visibleLinks = () => [...byId('contents').querySelectorAll('li:not([hidden]) a')]

function onKey(event) {
  const input = byId('search')
  const isTyping = document.activeElement === input
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    input.select()
  } else if (event.key === 'Escape' && isTyping) {
    input.value = ''
    search()
    input.blur()
  } else if (event.key === 'Enter' && isTyping) {
    visibleLinks()[0]?.click()
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const links = visibleLinks()
    const at = links.indexOf(document.activeElement)
    if (at < 0 && !isTyping) return
    event.preventDefault()
    const next = event.key === 'ArrowDown' ? links[at + 1] : at > 0 ? links[at - 1] : input
    next?.focus()
  }
}

function followReading() {
  const links = new Map(visibleLinks().map((link) => [link.getAttribute('href').slice(1), link]))
  let here
  const watcher = new IntersectionObserver((entries) => {
    const seen = entries.filter((entry) => entry.isIntersecting).map((entry) => links.get(entry.target.id)).find(Boolean)
    if (!seen || seen === here) return
    here?.classList.remove('here')
    here = seen
    here.classList.add('here')
    if (!byId('contents').contains(document.activeElement)) here.scrollIntoView({ block: 'nearest' })
  }, { rootMargin: '-10% 0px -75% 0px' })
  for (const section of document.querySelectorAll('main section')) watcher.observe(section)
}

function theme() {
  const root = document.documentElement
  const system = matchMedia('(prefers-color-scheme: dark)')
  const kept = () => {
    try {
      return localStorage.getItem('theme')
    } catch {
      return null // storage is switched off
    }
  }
  const apply = () => (root.dataset.theme = kept() ?? (system.matches ? 'dark' : 'light'))
  system.addEventListener('change', apply)
  byId('theme').addEventListener('click', () => {
    const next = root.dataset.theme === 'dark' ? 'light' : 'dark'
    try {
      localStorage.setItem('theme', next)
    } catch {
      // it holds until the page is left
    }
    root.dataset.theme = next
  })
  apply()
}

async function start() {
  theme()
  try {
    const response = await fetch('/v1/openapi.json')
    if (!response.ok) throw new Error(`it was answered ${response.status}`)
    api = await response.json()
  } catch (error) {
    byId('state').className = 'failed'
    byId('state').textContent = `The document could not be read: ${error.message}`
    return
  }
  fill()
  byId('search').addEventListener('input', search)
  document.addEventListener('keydown', onKey)
  followReading()
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView()
}

start()
