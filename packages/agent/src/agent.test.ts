/** A whole agent in this process, whose parts are broken from outside: what it says, and what goes on meanwhile. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RunningAgent, startAgent } from './agent.ts'
import { type ApiServer, createApiServer } from './api/server.ts'
import type { StatusView } from './api/shapes.ts'
import { createHost } from './cli/new-host.ts'
import { statusLines } from './cli/status-text.ts'
import { type Folder, resolveFolder } from './identity/folder.ts'
import { generateSwarmKey } from './identity/swarm-key.ts'
import { flightFolderOf, listSegments } from './recorder/flight-disk.ts'
import { tellStory } from './recorder/story.ts'
import { closeListener } from './swarm/testing/close-listener.ts'

const TOKEN = 'a token of thirty-two characters'

let folder: Folder
let lines: string[]
let agent: RunningAgent
let api: ApiServer

beforeEach(async () => {
  const path = await mkdtemp(join(tmpdir(), 'muster-agent-'))
  folder = resolveFolder({ dir: join(path, 'host'), env: {}, homeDir: path, workingDir: path })
  await createHost({ folder, name: 'vps-1', swarmKey: generateSwarmKey(), peers: [] })
  const config = await readFile(folder.config, 'utf8')
  const checks = 'checks:\n  - {name: memory, kind: memory, every: 1s}\n'
  await writeFile(folder.config, config.replaceAll('0.0.0.0', '127.0.0.1').replace(/^checks:\n(?: +.*\n)+/mu, checks))
  lines = []
  const note = (phrase: string, { part, reason }: Readonly<Record<string, unknown>> = {}): void => {
    lines.push(part === undefined ? phrase : `${phrase}: ${part} ${reason ?? ''}`.trim())
  }
  agent = await startAgent({
    folder,
    log: { debug: () => undefined, info: note, warn: note },
    async frontEnd(port, { api: { listen } }) {
      api = createApiServer(port, { listen, token: TOKEN })
      await api.start()
      return api
    },
  })
})

afterEach(async () => {
  await agent.stop()
  await rm(join(folder.path, '..'), { recursive: true })
})

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function status(): Promise<StatusView> {
  const answer = await fetch(`${api.address()}/api/v1/status`)
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as StatusView
}

const said = (line: string): true | undefined => lines.includes(line) || undefined
const portOf = (address: string | undefined): number => Number(/(?:\/tcp\/|:)(\d+)/u.exec(address ?? '')?.[1])

test('a swarm and an API that stop listening are started again, said in status meanwhile, and the checks go on', async () => {
  const { addresses } = await status()
  const [swarmPort, apiPort] = [portOf(addresses[0]), portOf(api.address()?.replace('http:', ''))]
  closeListener(swarmPort)
  closeListener(apiPort)
  const thief = await take(swarmPort)
  await until(() => said('part failed, it is started again: api it no longer listens'))
  await until(() => said('part runs again: api'))
  const warning = await until(async () =>
    (await status()).warnings.find((line) => line.includes('is in use by another program')),
  )
  expect(warning).toMatch(
    new RegExp(
      `^the swarm stopped working at \\d{4}-[\\dT:.-]+Z and is being restarted: swarm\\.listen: /ip4/127\\.0\\.0\\.1/tcp/${swarmPort} is in use by another program$`,
      'u',
    ),
  )
  const reason = `swarm.listen: /ip4/127.0.0.1/tcp/${swarmPort} is in use by another program`
  expect((await status()).brokenParts).toEqual([{ name: 'swarm', reason, sinceUnixMs: expect.any(Number) }])
  expect(statusLines(await status(), { colour: false, columns: 80, typed: (text) => text })).toContain(warning)
  const before = await ranAt()
  await until(async () => (await ranAt()) !== before || undefined)

  await new Promise((resolve) => thief.close(resolve))
  await until(() => said('part runs again: swarm'))
  const after = await status()
  expect([after.warnings, after.brokenParts]).toEqual([[], []])
  expect(after.addresses).toEqual(addresses)
})

test('its flight recorder keeps what its core met, and a replay of it comes to the same', async () => {
  const path = flightFolderOf(folder.data)
  const told = await until(async () => {
    const [segment] = await listSegments(path).catch(() => [])
    if (segment === undefined) return undefined
    const story = tellStory([{ name: segment.name, bytes: await readFile(join(path, segment.name)) }])
    const lines: string[] = []
    let next = story.next()
    for (; next.done !== true; next = story.next()) lines.push(next.value.text)
    // Its config, the first runs of its check, and its first heartbeat.
    return next.value.events < 5 ? undefined : { lines, ...next.value }
  })
  expect(told).toMatchObject({ differences: 0, read: 1 })
  expect(told.lines).toContain('takes its config: checks memory')
})

/** When the check ran last. */
async function ranAt(): Promise<number | null | undefined> {
  return (await status()).hosts[0]?.checks[0]?.atUnixMs
}

async function take(port: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}
