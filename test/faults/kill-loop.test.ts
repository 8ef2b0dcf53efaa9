/**
 * An agent is killed a hundred times at random moments of its life, while it writes as much as it can. After each time its
 * log is a chain without a gap, holds all that others have of it, and its number of starts has risen; nobody missed it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HistoryView } from '../../packages/agent/src/api/shapes.ts'
import type { Host } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import { createChance } from './chance.ts'
import { breaksOf, incarnationOf, readOwnLog } from './own-log.ts'
import { rounds } from './rounds.ts'
import { accusedBy } from './told.ts'

const KILLS = rounds(8, 100)
/** From the start of the process: in its first half second or so it has not written anything yet. Milliseconds. */
const LIFE_LEAST_MS = 300
const LIFE_MOST_MS = 4_300
const PING_EVERY_MS = 40
const PING_MS = 1_000
const TEST_MS = 1_500_000

const random = createChance('killed in a loop')
let mesh: Mesh
let victim: Host
let peers: readonly Host[]

beforeAll(async () => {
  mesh = await createMesh(['vps-1', 'vps-2', 'laptop'], {
    of: {
      // A start takes a second or two: it is not to be missed for that.
      laptop: { presence: '{every: 5s, grace: 25s}', checks: ['{name: job, kind: push}'] },
    },
  })
  victim = mesh.host('laptop')
  peers = mesh.hosts.filter((host) => host !== victim)
  await mesh.ready()
}, 180_000)

afterAll(() => mesh?.end())

test(
  `killed ${KILLS} times: the log is whole after each`,
  async () => {
    const { mesh: meshId, host: id } = await victim.status()
    let entriesBefore = 0
    let incarnationBefore = await incarnationOf(victim)
    let answered = true
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const lifeMs = Math.floor(LIFE_LEAST_MS + random() * (LIFE_MOST_MS - LIFE_LEAST_MS))
      const where = `kill ${kill}, after ${lifeMs} ms`
      answered = (await writeFor(lifeMs)) || answered
      await victim.end('SIGKILL')

      const incarnation = await incarnationOf(victim)
      if (kill > 1 && answered) expect(incarnation, where).toBeGreaterThan(incarnationBefore)
      else expect(incarnation, where).toBeGreaterThanOrEqual(incarnationBefore)
      const entries = await readOwnLog(victim, meshId, id)
      expect(breaksOf(entries), where).toEqual([])
      expect(entries.length, where).toBeGreaterThanOrEqual(entriesBefore)
      expect(entries.at(-1)?.incarnation ?? 0, where).toBeLessThanOrEqual(incarnation)
      for (const peer of peers) {
        const { entries: held } = await peer.history('laptop')
        // What it said was on its disk first.
        const own = new Set(entries.map(({ cid }) => cid))
        expect(
          held.filter(({ cid }) => !own.has(cid)),
          `${where}, held by ${peer.name}`,
        ).toEqual([])
      }
      const { code, out, err } = await victim.muster('history', '--host', 'laptop', '--json')
      expect({ where, code, err }).toEqual({ where, code: 0, err: '' })
      expect((JSON.parse(out) as HistoryView).entries, where).toHaveLength(entries.length)

      entriesBefore = entries.length
      incarnationBefore = incarnation
      answered = false
      victim.start()
    }
    process.stdout.write(`${entriesBefore} entries, ${incarnationBefore} starts\n`)
    // It wrote a lot, and in most of its lives.
    expect(entriesBefore).toBeGreaterThan(KILLS)
    expect(incarnationBefore).toBeGreaterThan(KILLS / 2)
  },
  TEST_MS,
)

test('in the end all hold the same history, and nobody ever missed it', async () => {
  await mesh.ready()
  await mesh.sameHistory()
  for (const host of mesh.hosts) expect(await accusedBy(host), `whom ${host.name} accused`).toEqual([])
}, 180_000)

/** Lets its job fail and recover in turn for so long: each change is an entry. Gives whether any was taken. */
async function writeFor(lifeMs: number): Promise<boolean> {
  const endMs = performance.now() + lifeMs
  let isTaken = false
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    const path = `http://127.0.0.1:${victim.ports.api}/ping/job${turn % 2 === 0 ? '/fail' : ''}`
    const ok = await fetch(path, { method: 'POST', signal: AbortSignal.timeout(PING_MS) }).then(
      (answer) => answer.ok,
      () => false,
    )
    isTaken ||= ok
    await sleep(PING_EVERY_MS)
  }
  return isTaken
}
