// life: the whole life of a build, by a client whose types are generated from the OpenAPI document. What it learned is the default
// export's answer, for a test to look at.
import { EventSource } from 'eventsource'
import createClient from 'openapi-fetch'
import type { components, paths } from './api.js'

type Schemas = components['schemas']

// The data of a success; an error becomes an exception.
function data<T>({ data, error, response }: { data?: { data: T }; error?: Schemas['Error']; response: Response }): T {
  if (data) return data.data
  throw new Error(`${response.url} answered ${response.status}: ${error?.error.code} ${error?.error.message}`)
}

// Every choice by its default: the types say what a question can be.
function answerOf(question: Schemas['Question']): { questionId: string; answer: Schemas['Question']['default'] } {
  return { questionId: question.id, answer: question.default }
}

// Follows the stream to its end, over a connection that is cut in the middle: EventSource comes back by itself.
function follow(url: string, key: string, types: readonly Schemas['EventType'][]): Promise<{ sequence: number; type: string }[]> {
  return new Promise((resolve, reject) => {
    const seen: { sequence: number; type: string }[] = []
    let cuts = 0
    const source = new EventSource(url, {
      fetch: async (input, init) => {
        const response = await fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } })
        return cuts++ === 0 && response.body ? new Response(firstBytes(response.body, 4096), response) : response
      },
    })
    for (const type of types) {
      source.addEventListener(type, (event: MessageEvent) => {
        seen.push({ sequence: Number(event.lastEventId), type })
        if (type !== 'RUN_COMPLETED') return
        source.close()
        resolve(seen)
      })
    }
    source.addEventListener('error', (event: { code?: number | undefined }) => {
      if (source.readyState === source.CLOSED) reject(new Error(`the stream was refused: ${event.code}`))
    })
  })
}

// A stream that ends after so many bytes.
function firstBytes(body: ReadableStream<Uint8Array>, most: number): ReadableStream<Uint8Array> {
  let bytes = 0
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, most - bytes))
        bytes += chunk.length
        if (bytes >= most) controller.terminate()
      },
    }),
  )
}

async function until<T>(ask: () => Promise<T>, isSettled: (value: T) => boolean): Promise<T> {
  for (const deadline = Date.now() + 240_000; Date.now() < deadline; ) {
    const value = await ask()
    if (isSettled(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('it was not settled in time')
}

export default async function life(baseUrl: string, key: string, eventTypes: readonly Schemas['EventType'][]) {
  const client = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } })

  const { data: health } = await client.GET('/v1/health')
  const draft = data(await client.POST('/v1/projects', { body: { name: 'Recipe Box', description: 'A recipe box for families: recipes with ingredients, and a shopping list.' } }))
  const path = { projectId: draft.id }

  const { questions } = data(await client.POST('/v1/projects/{projectId}/clarify', { params: { path } }))
  const review = data(await client.POST('/v1/projects/{projectId}/answers', { params: { path }, body: { answers: questions.map(answerOf) } }))
  const again = data(await client.POST('/v1/projects/{projectId}/regenerate', { params: { path }, body: { feedback: 'Add a field servings to recipes.' } }))
  const approval = data(await client.POST('/v1/projects/{projectId}/approve', { params: { path } }))

  const begun = data(await client.POST('/v1/projects/{projectId}/runs', { params: { path }, body: { trigger: 'api' } }))
  const runPath = { ...path, runId: begun.id }
  const streamed = await follow(`${baseUrl}/v1/projects/${draft.id}/runs/${begun.id}/events/stream`, key, eventTypes)
  const polled = data(await client.GET('/v1/projects/{projectId}/runs/{runId}/events', { params: { path: runPath, query: { limit: 1000, afterSequence: 0 } } }))
  const run = data(await client.GET('/v1/projects/{projectId}/runs/{runId}', { params: { path: runPath } }))
  const [first] = data(await client.GET('/v1/projects/{projectId}/runs/{runId}/tasks', { params: { path: runPath } }))
  if (!first) throw new Error('the run has no task')
  const task = data(await client.GET('/v1/projects/{projectId}/runs/{runId}/tasks/{taskId}', { params: { path: { ...runPath, taskId: first.id } } }))

  const asked = data(await client.POST('/v1/projects/{projectId}/export', { params: { path }, body: { runId: begun.id, format: 'zip' } }))
  const exportPath = { ...path, exportId: asked.id }
  const packed = await until(async () => data(await client.GET('/v1/projects/{projectId}/exports/{exportId}', { params: { path: exportPath } })), ({ status }) => status !== 'processing')
  const { data: zip, response } = await client.GET('/v1/projects/{projectId}/exports/{exportId}/download', { params: { path: exportPath }, parseAs: 'arrayBuffer' })

  const deploying = data(await client.POST('/v1/projects/{projectId}/deploy', { params: { path }, body: { runId: begun.id, provider: 'local' } }))
  const deployment = await until(
    async () => data(await client.GET('/v1/projects/{projectId}/deployments/{deploymentId}', { params: { path: { ...path, deploymentId: deploying.deploymentId } } })),
    ({ status }) => status !== 'deploying',
  )

  const { entries } = data(await client.GET('/v1/projects/{projectId}/files', { params: { path, query: { ref: 'main', path: '/' } } }))
  const file = data(await client.GET('/v1/projects/{projectId}/files/{path}', { params: { path: { ...path, path: 'src/app/layout.tsx' } } }))
  const { data: listed } = await client.GET('/v1/projects', { params: { query: { search: 'recipe', status: 'built' } } })

  const missing = await client.GET('/v1/projects/{projectId}', { params: { path: { projectId: 'proj_01h455vb4pex5vsknk084sn02q' } } })
  return {
    health: health?.status,
    draft,
    questions,
    versions: [review.spec.version, again.spec.version, approval.spec.version],
    streamed,
    polled: polled.map(({ sequence, eventType }) => ({ sequence, type: eventType })),
    run: { status: run.status, error: run.error, trigger: run.trigger, criteria: run.verificationResult?.criteria.map(({ status }) => status) ?? [] },
    task: { status: task.status, files: task.result?.filesCreated ?? [] },
    export: { status: packed.status, sizeBytes: packed.sizeBytes, bytes: zip?.byteLength, name: response.headers.get('content-disposition') },
    deployment,
    entries: entries.map(({ name }) => name),
    file,
    listed: listed?.data.map(({ id }) => id) ?? [],
    total: listed?.pagination.total,
    missing: { status: missing.response.status, code: missing.error?.error.code },
  }
}
