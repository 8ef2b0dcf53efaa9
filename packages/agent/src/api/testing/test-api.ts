/** The local API of a test agent, on a port of its own, and requests with exactly the headers that a test wants. */
import { request } from 'node:http'
import { type ApiServer, createApiServer } from '../server.ts'
import { createTestAgent, type TestAgent } from './test-agent.ts'

/** The token of the test's API. */
export const TOKEN = 'a-token-of-forty-three-characters-0123456789'
/** The header of a JSON body. */
export const JSON_TYPE = { 'content-type': 'application/json' }
/** The header that lets a change through. */
export const AUTHORIZED = { authorization: `Bearer ${TOKEN}` }

/** One answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** An API that listens. */
export interface TestApi {
  readonly agent: TestAgent
  readonly api: ApiServer
  readonly base: string
  /** How often the agent was told that it may stop. */
  left(): number
  /** A request with exactly these headers: `fetch` would not let a test lie about Host and Origin. */
  ask(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<Answer>
  /** The same with the token and JSON. */
  change(method: string, path: string, body?: unknown): Promise<Answer>
  /** A mesh whose vps-1 is silent; gives the incident's id. */
  killVps(): string
}

/** Starts one. */
export async function startTestApi(): Promise<TestApi> {
  const agent = createTestAgent()
  let left = 0
  const onLeft = (): void => {
    left += 1
  }
  const api = createApiServer(agent.port, { listen: { host: '127.0.0.1', port: 0 }, token: TOKEN, onLeft })
  await api.start()
  const base = api.address() ?? ''

  function ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asking = request(`${base}${path}`, { method, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
        response.on('error', reject)
      })
      asking.on('error', reject)
      asking.end(body)
    })
  }

  return {
    agent,
    api,
    base,
    left: () => left,
    ask,
    change: (method, path, body) =>
      ask(method, path, { ...AUTHORIZED, ...JSON_TYPE }, body === undefined ? undefined : JSON.stringify(body)),
    killVps() {
      agent.live('vps-1')
      agent.advance(30_000)
      agent.die('vps-1')
      agent.advance(60_000)
      return [...agent.port.state().incidents.keys()][0] ?? ''
    },
  }
}

/** The JSON of an answer. */
export function json(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>
}
