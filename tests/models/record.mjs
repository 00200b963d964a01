// record: makes recordings/reading-list anew, after prompts have changed: node tests/models/record.mjs
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Server } from '../flow/lib.mjs'
import { scriptOf } from './planned.mjs'
import { description, readingList } from './reading_list.mjs'
import { ModelServer } from './server.mjs'

const folder = new URL('../../recordings/reading-list', import.meta.url).pathname
const models = await ModelServer.start(scriptOf(readingList))
await rm(folder, { recursive: true, force: true })
const options = ['--planner', 'model', '--agent', 'model', '--model', 'claude-sonnet-4-5', '--model-provider', 'anthropic', '--model-url', models.url]
const server = await Server.start({ args: [...options, '--record', folder] })
const project = await server.approvedProject(description, 'Reading list')
const run = await server.post(`/projects/${project.id}/runs`)
await server.reached(project.id, run.id, 'VERIFICATION_STARTED')
await server.post(`/projects/${project.id}/runs/${run.id}/cancel`)
await server.remove()
await models.close()
console.log(`${folder}: ${models.requests().length} calls, ${readFileSync(`${folder}/recording.json`, 'utf8').trim()}`)
