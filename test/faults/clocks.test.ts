/**
 * A host whose wall clock is an hour ahead, two hours behind, or runs sixty times as fast, set while its agent runs:
 * nobody is spoken of for that, deaths are told as ever, with the time by the clock of whoever tells.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ranksOfHosts } from '../bench/turns.ts'
import { type Host, type HostSettings, until } from '../e2e/host.ts'
import { createMesh, FAST_EVERY_MS, type Mesh } from '../e2e/mesh.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { rounds } from './rounds.ts'
import { accusedBy, shownOf } from './told.ts'
import { createWallClock, type WallClock, whyNoFakeClock } from './wall-clock.ts'

const NAMES = ['vps-1', 'vps-2', 'laptop']
/** Enough for a verdict of the class that must not come, many times over in the full run. Milliseconds. */
const WRONG_MS = rounds(6_000, 40_000)
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** A time that is told is rounded, and is read a moment later. Milliseconds. */
const SLACK_MS = 500
const LIMIT_MS = 90_000
const TEST_MS = 400_000

const why = whyNoFakeClock()
if (why !== null) process.stdout.write(`skipped, a wall clock is wrong: ${why}\n`)

describe.skipIf(why !== null)('a wall clock is wrong', () => {
  let folder: string
  let mesh: Mesh
  let phone: Receiver
  const clocks = new Map<string, WallClock>()
  /** The one whose clock is wrong is the first that tells of a host: whoever is told of is another, but in the end. */
  let wrong: Host
  let right: readonly Host[]
  const told: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-clock-'))
    const of: Record<string, HostSettings> = {}
    for (const name of NAMES) {
      const clock = await createWallClock(join(folder, name))
      clocks.set(name, clock)
      of[name] = { prefix: clock.prefix }
    }
    mesh = await createMesh(NAMES, { of })
    phone = await mesh.receiver('phone')
    await mesh.ready()
    const views = await Promise.all(mesh.hosts.map((host) => host.status()))
    const named = views.map(({ name, host }) => ({ name, id: host }))
    const [first = ''] = ranksOfHosts(views[0]?.mesh ?? '', named)
    wrong = mesh.host(first)
    right = mesh.hosts.filter((host) => host !== wrong)
  }, TEST_MS)

  afterAll(async () => {
    await mesh?.end()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  /** How far the wrong clock is from ours, by its host's own word. */
  const aheadMs = async (): Promise<number> => (await wrong.status()).nowUnixMs - Date.now()

  /** Sets the clock and lets it be wrong for a while. */
  async function setWrong(offset: string, least: number, most: number): Promise<void> {
    await clocks.get(wrong.name)?.set(offset)
    await until(`a clock at ${offset}`, LIMIT_MS, async () => {
      const ahead = await aheadMs()
      return ahead >= least && ahead <= most
    })
    const before = told.length
    await sleep(WRONG_MS)
    await mesh.ready()
    expect(shownOf(phone), `what was told while a clock was at ${offset}`).toHaveLength(before)
    for (const host of mesh.hosts) {
      expect(await accusedBy(host), host.name).toEqual(accused.filter((name) => name !== host.name))
    }
  }

  const accused: string[] = []

  /** Kills a host, and gives what was told of it once it is back. */
  async function dieAndReturn(victim: Host): Promise<{ readonly by: string; readonly sinceBeforeKillMs: number }> {
    const killedAtUnixMs = Date.now()
    await victim.end('SIGKILL')
    const fired = await phone.next('fired', victim.name, { limitMs: LIMIT_MS })
    expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true, incidents: [{ hostName: victim.name }] })
    victim.start()
    await phone.next('resolved', victim.name, { limitMs: LIMIT_MS })
    await mesh.ready()
    accused.push(victim.name)
    accused.sort()
    told.push(`fired ${victim.name} silent`, `resolved ${victim.name} silent`)
    expect(shownOf(phone)).toEqual(told)
    return { by: fired.toldBy, sinceBeforeKillMs: killedAtUnixMs - (fired.incidents[0]?.sinceUnixMs ?? 0) }
  }

  test.each<[string, number, number]>([
    ['+1h', HOUR_MS, 0],
    ['-2h', -2 * HOUR_MS, 1],
  ])(
    '%s: nobody is spoken of for that, and a death that its host tells is told once, by its clock',
    async (offset, aheadOfUsMs, index) => {
      await setWrong(offset, aheadOfUsMs - MINUTE_MS, aheadOfUsMs + MINUTE_MS)
      const { by, sinceBeforeKillMs } = await dieAndReturn(right[index] as Host)
      expect(by).toBe(wrong.name)
      expect(sinceBeforeKillMs + aheadOfUsMs).toBeGreaterThanOrEqual(-SLACK_MS)
      expect(sinceBeforeKillMs + aheadOfUsMs).toBeLessThanOrEqual(FAST_EVERY_MS + SLACK_MS)
    },
    TEST_MS,
  )

  test(
    'sixty times as fast: nobody is spoken of for that, and its own death is told once, with the right time',
    async () => {
      await setWrong('+0 x60', 5 * MINUTE_MS, Number.POSITIVE_INFINITY)
      const { sinceBeforeKillMs } = await dieAndReturn(wrong)
      expect(sinceBeforeKillMs).toBeGreaterThanOrEqual(-SLACK_MS)
      expect(sinceBeforeKillMs).toBeLessThanOrEqual(FAST_EVERY_MS + SLACK_MS)
    },
    TEST_MS,
  )

  test(
    'set right again: all hold the same history, and no notice was shown twice',
    async () => {
      await clocks.get(wrong.name)?.set('+0')
      await mesh.ready()
      await mesh.sameHistory()
      await sleep(WRONG_MS)
      const { notices } = await phone.stop()
      expect(notices.map(({ transition, host, shown }) => `${transition} ${host} silent ${shown}`)).toEqual(
        told.map((line) => `${line} 1`),
      )
    },
    TEST_MS,
  )
})
