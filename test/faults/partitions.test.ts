/**
 * The network parts: between two hosts one way, around one host one way, and between two groups for a minute. What is
 * told is what those who could not be heard by a group deserve, once; the history is one again soon after healing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { separate } from '../bench/ground.ts'
import { until } from '../e2e/host.ts'
import type { Receiver } from '../e2e/receiver.ts'
import { type CabledMesh, createCabledMesh, untilSameHistory } from './cabled-mesh.ts'
import { drop, together, whyNoPacketLoss } from './packets.ts'
import { rounds } from './rounds.ts'
import { accusedBy, shownAbout, shownOf } from './told.ts'

/** The smaller side, and the other. */
const SOME = ['vps-1', 'vps-2']
const OTHERS = ['laptop', 'home-server', 'office']
const SPLIT_MS = rounds(20_000, 60_000)
/** Enough for a verdict of the class, and its notice, that must not come. Milliseconds. */
const VERDICT_MS = rounds(5_000, 10_000)
const LIMIT_MS = 90_000
const TEST_MS = 400_000

const why = await whyNoPacketLoss()
if (why !== null) process.stdout.write(`skipped, the network parts: ${why}\n`)

describe.skipIf(why !== null)('the network parts', () => {
  let cabled: CabledMesh
  /** With the smaller side, and with the other. */
  let phone: Receiver
  let tablet: Receiver
  let split: () => ReturnType<typeof separate>

  beforeAll(async () => {
    cabled = await createCabledMesh([...SOME, ...OTHERS], { spare: 2 })
    const withSome = await cabled.receiver('phone', 'vps-1')
    const withOthers = await cabled.receiver('tablet', 'laptop')
    phone = withSome.receiver
    tablet = withOthers.receiver
    split = () => separate([...SOME.map(cabled.spotOf), withSome.spot], [...OTHERS.map(cabled.spotOf), withOthers.spot])
    await cabled.mesh.ready()
  }, TEST_MS)

  afterAll(() => cabled?.end())

  test(
    'one way between two hosts: the others hear both, and nothing is told',
    async () => {
      const cut = await drop(cabled.spotOf('vps-1'), 'INPUT', ['-s', cabled.spotOf('office').address])
      for (const [name, about] of [
        ['vps-1', 'office'],
        ['office', 'vps-1'],
      ] as const) {
        await until(`${name} to hear ${about} through others only`, LIMIT_MS, async () => {
          const view = await cabled.host(name).view(about)
          return view?.state === 'alive' && view.reach === 'relayed'
        })
      }
      await sleep(VERDICT_MS)
      await cut.mend()
      await cabled.mesh.ready()
      expect(shownOf(phone)).toEqual([])
      for (const host of cabled.mesh.hosts) expect(await accusedBy(host), host.name).toEqual([])
    },
    TEST_MS,
  )

  test.each<['OUTPUT' | 'INPUT', string, '-d' | '-s']>([
    ['OUTPUT', 'laptop', '-d'],
    ['INPUT', 'home-server', '-s'],
  ])(
    'one way around one host (%s of %s): told once, its end once, and it accuses nobody',
    async (chain, name, side) => {
      const others = cabled.mesh.hosts.filter((host) => host.name !== name)
      const before = shownOf(phone).length
      const earlier = await accusedBy(cabled.host(name))
      const spot = cabled.spotOf(name)
      const cut = together(
        await Promise.all(others.map((host) => drop(spot, chain, [side, cabled.spotOf(host.name).address]))),
      )
      for (const each of [phone, tablet]) await each.next('fired', name, { limitMs: LIMIT_MS })
      await until(
        `${name} to say that it is isolated`,
        LIMIT_MS,
        async () => (await cabled.host(name).status()).isolated,
      )
      await cut.mend()
      for (const each of [phone, tablet]) await each.next('resolved', name, { limitMs: LIMIT_MS })
      await cabled.mesh.ready()
      await sleep(VERDICT_MS)
      for (const each of [phone, tablet]) {
        expect(shownAbout(each, name).map(transitionOf), each.name).toEqual(['fired', 'resolved'])
        expect(shownOf(each)).toHaveLength(before + 2)
      }
      expect(await accusedBy(cabled.host(name))).toEqual(earlier)
    },
    TEST_MS,
  )

  test(
    'two of five cut off from three: each side tells of each host that it misses once, and once that it is back',
    async () => {
      const before = new Map([phone, tablet].map((each) => [each.name, each.notices().length]))
      const newOf = (receiver: Receiver): readonly string[] =>
        receiver
          .notices()
          .slice(before.get(receiver.name))
          .flatMap(({ transition, incidents }) => incidents.map(({ hostName }) => `${transition} ${hostName}`))
      const untilAllMissed = (transition: 'fired' | 'resolved'): Promise<unknown> =>
        Promise.all(
          [
            ...OTHERS.map((name) => [phone, `${transition} ${name}`] as const),
            ...SOME.map((name) => [tablet, `${transition} ${name}`] as const),
          ].map(([receiver, line]) =>
            until(`${receiver.name} to be told: ${line}`, LIMIT_MS, () => newOf(receiver).includes(line)),
          ),
        )
      const parted = await split()
      const startMs = performance.now()
      await untilAllMissed('fired')
      await sleep(Math.max(0, SPLIT_MS - (performance.now() - startMs)))
      // No side spoke of its own, and none has come back.
      expect(newOf(phone).toSorted()).toEqual(OTHERS.map((name) => `fired ${name}`).sort())
      expect(newOf(tablet).toSorted()).toEqual(SOME.map((name) => `fired ${name}`).sort())
      // To two hosts three of five are most of the mesh, and that may as well be a split.
      expect(
        phone
          .notices()
          .slice(before.get('phone'))
          .some(({ massDeath }) => massDeath),
      ).toBe(true)
      expect(
        tablet
          .notices()
          .slice(before.get('tablet'))
          .some(({ massDeath }) => massDeath),
      ).toBe(false)

      await parted.mend()
      const healedMs = performance.now()
      const sameMs = await untilSameHistory(cabled.mesh.hosts)
      process.stdout.write(`the same history everywhere ${Math.round(sameMs)} ms after healing\n`)
      await untilAllMissed('resolved')
      process.stdout.write(`all ends shown ${Math.round(performance.now() - healedMs)} ms after healing\n`)
      await cabled.mesh.ready()
      await sleep(VERDICT_MS)
      for (const [receiver, missed, own] of [
        [phone, OTHERS, SOME],
        [tablet, SOME, OTHERS],
      ] as const) {
        for (const name of missed) {
          expect(
            newOf(receiver).filter((line) => line.endsWith(` ${name}`)),
            `${receiver.name} on ${name}`,
          ).toEqual([`fired ${name}`, `resolved ${name}`])
        }
        // What the other side told, and could not bring here, ends here in one line that says all.
        for (const name of own) {
          const lines = newOf(receiver).filter((line) => line.endsWith(` ${name}`))
          expect(
            [[`resolved ${name}`], [`fired ${name}`, `resolved ${name}`]],
            `${receiver.name} on ${name}`,
          ).toContainEqual(lines)
        }
      }
      for (const host of cabled.mesh.hosts) {
        expect(
          (await host.incidents()).filter(({ state }) => state === 'firing'),
          host.name,
        ).toEqual([])
      }
    },
    TEST_MS,
  )
})

const transitionOf = (line: string): string => line.split(' ')[0] ?? ''
