/**
 * The host whose turn it is to tell is killed at a random moment after the trouble was found: before its claim, between
 * claim and notice, before its receipt, or when all is done. Whatever it was, the user sees the notice, once.
 *
 * The trouble is a check that fails, which all hosts know within a moment; whose turn it is can be worked out beforehand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createJobs, type Jobs } from '../bench/turns.ts'
import { type Host, until } from '../e2e/host.ts'
import { createMesh, type Mesh } from '../e2e/mesh.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { createChance } from './chance.ts'
import { rounds } from './rounds.ts'
import { shownAbout } from './told.ts'

/** Runs the checks, and is never killed. */
const HOME = 'vps-1'
const NOTIFIERS = ['vps-2', 'laptop', 'home-server']
const ROUNDS = rounds(3, 20)
/** From the failure to the receipt of a healthy notifier, and a little more. Milliseconds. */
const MOMENT_MS = 600
/** A notice that was accepted and not stored is told again after 20 s, three times. Milliseconds. */
const AGAIN_MS = rounds(22_000, 65_000)
const LIMIT_MS = 90_000
const TEST_MS = 900_000

const names = Array.from({ length: 8 * ROUNDS }, (_, index) => `job-${index + 1}`)
const random = createChance('the notifier is killed at random')
const failed: string[] = []
let mesh: Mesh
let phone: Receiver
let jobs: Jobs

beforeAll(async () => {
  // Long enough that a notifier which is started again at once is not missed.
  mesh = await createMesh([HOME, ...NOTIFIERS], {
    presence: '{every: 4s, grace: 8s}',
    checks: names.map((name) => `{name: ${name}, kind: push}`),
  })
  phone = await mesh.receiver('phone')
  await mesh.ready()
  const views = await Promise.all(mesh.hosts.map((host) => host.status()))
  const named = views.map(({ name, host }) => ({ name, id: host }))
  const home = named.find(({ name }) => name === HOME) ?? { name: HOME, id: '' }
  jobs = createJobs(views[0]?.mesh ?? '', home, names, named)
}, TEST_MS)

afterAll(() => mesh?.end())

test(
  `killed ${ROUNDS} times within ${MOMENT_MS} ms after detection: told each time, and shown once`,
  async () => {
    let after = 0
    for (let round = 1; round <= ROUNDS; round += 1) {
      const notifier = mesh.host(NOTIFIERS[round % NOTIFIERS.length] ?? '')
      await mesh.ready()
      await untilRankedFirst(notifier)
      const job = jobs.take(notifier.name)
      const afterMs = Math.floor(random() * MOMENT_MS)
      await fail(job)
      failed.push(job)
      await sleep(afterMs)
      await notifier.end('SIGKILL')
      const killedAtMs = performance.now()
      // It is back at once, with all that it had written down, and judges nobody yet: others have to tell.
      notifier.start()
      const fired = await phone.next('fired', HOME, { check: job, limitMs: LIMIT_MS })
      const isAfter = fired.atMs > killedAtMs
      if (isAfter) after += 1
      process.stdout.write(
        `round ${round}: ${notifier.name} killed after ${afterMs} ms, told by ${fired.toldBy} ${isAfter ? 'afterwards' : 'before'}\n`,
      )
      expect(fired).toMatchObject({ verified: true, incidents: [{ hostName: HOME, check: job }] })
    }
    process.stdout.write(`${after} of ${ROUNDS} notices came after the kill\n`)
  },
  TEST_MS,
)

test(
  'none is shown a second time, when those that were killed are back and all that is open was told again',
  async () => {
    await mesh.ready()
    await sleep(AGAIN_MS)
    for (const job of failed) {
      const transitions = phone.about(HOME, job).map(({ transition }) => transition)
      expect({ job, transitions }).toEqual({ job, transitions: ['fired'] })
    }
    expect(phone.notices()).toHaveLength(ROUNDS)
    for (const name of [HOME, ...NOTIFIERS]) expect(shownAbout(phone, name), name).toEqual([])
    const { notices } = await phone.stop()
    const copies = notices.reduce((sum, each) => sum + (each.copies ?? 0), 0)
    process.stdout.write(`${copies} copies of ${ROUNDS} notices in the store\n`)
    expect(notices.map(({ check, shown }) => ({ check, shown }))).toEqual(failed.map((check) => ({ check, shown: 1 })))
  },
  TEST_MS,
)

/** Lets a job fail, as a program on its host would say it. */
async function fail(job: string): Promise<void> {
  const { ok, status } = await fetch(`http://127.0.0.1:${mesh.host(HOME).ports.api}/ping/${job}/fail`, {
    method: 'POST',
  })
  if (!ok) throw new Error(`the ping of ${job} was answered with ${status}`)
}

/** One that has just come back ranks last until its own Waku is known to work by all. */
async function untilRankedFirst(notifier: Host): Promise<void> {
  await until(`${notifier.name} to have a Waku that works`, LIMIT_MS, async () => (await notifier.status()).waku.works)
  const { everyMs } = (await mesh.host(HOME).view(notifier.name)) ?? { everyMs: 0 }
  // Told with its next heartbeat.
  await sleep(everyMs)
}
