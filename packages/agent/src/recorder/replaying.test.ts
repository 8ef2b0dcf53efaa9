/** What is recorded of cores in faulty worlds comes out of a replay exactly as it was. */
import { describe, expect, test } from 'vitest'
import { readSegment } from './reading.ts'
import { replaySegment } from './replaying.ts'
import { recordingOf } from './testing/recording-of.ts'
import { namedLives, type SimulatedLife, simulatedLives, withPlainMaps } from './testing/simulated-lives.ts'

/** Replays a life from its file, and compares each state that was written down with the one that was. */
function expectExact(life: SimulatedLife): { readonly ticks: number; readonly written: number } {
  const segment = readSegment(recordingOf(life))
  expect(segment.first).toStrictEqual(withPlainMaps(life.first))
  const replay = replaySegment(segment)
  let at = 0
  let compared = 0
  let written = 0
  for (let next = replay.next(); ; next = replay.next()) {
    if (next.done === true) {
      expect(next.value.how).toBe('stopped')
      expect(withPlainMaps(next.value.state)).toStrictEqual(withPlainMaps(life.steps.at(-1)?.state ?? life.first))
      break
    }
    const { event, effects, after, isSame } = next.value
    // Of ticks in a row the last is what was written.
    if (event === null) while (life.steps[at]?.state.clock.monotonicMs !== after.clock.monotonicMs) at += 1
    const step = life.steps[at]
    at += 1
    compared += 1
    if (event?.kind === 'tick') written += 1
    expect(isSame).toBe(true)
    expect(after.clock).toStrictEqual(step?.state.clock)
    expect(after.prng).toBe(step?.state.prng)
    // The whole of it once in a while: it is compared at the end too, and what went astray stays so.
    if (event === null || compared % 100 !== 0) continue
    expect(event).toStrictEqual(step?.event)
    expect(effects).toStrictEqual(step?.effects)
    if (compared % 1_000 === 0) expect(withPlainMaps(after)).toStrictEqual(withPlainMaps(step?.state))
  }
  expect(at).toBe(life.steps.length)
  return { ticks: life.steps.filter((step) => step.event.kind === 'tick').length, written }
}

const WORLDS = [
  'three hosts, one is killed and returns',
  'a host is stopped for 90 s and accuses nobody when it goes on',
  'a laptop that sleeps wakes nobody',
]

describe('a replay comes to the very same states and effects', () => {
  test.each(WORLDS)('in a world where %s', (name) => {
    for (const life of namedLives(name)) expectExact(life)
  })

  // Suspends, crashes, restarts, restored disks, wall clocks that jump: whatever the seeds draw.
  test.each([3, 9, 40])('in the drawn world %i', (seed) => {
    const lives = simulatedLives(seed).map(expectExact)
    const ticks = lives.reduce((sum, life) => sum + life.ticks, 0)
    const written = lives.reduce((sum, life) => sum + life.written, 0)
    // Most ticks bring nothing, and are not written one by one.
    expect(written).toBeLessThan(ticks / 5)
  })
})

test('ticks that today’s core would not have let pass are a difference', () => {
  const [life] = namedLives('three hosts, one is killed and returns')
  if (life === undefined) throw new Error('no life')
  const steady = life.steps.findIndex(({ state }) => state.clock.elapsedMs > 60_000)
  const first = life.steps[steady]?.state
  if (first === undefined) throw new Error('no state')
  const segment = readSegment(recordingOf({ first, steps: life.steps.slice(steady + 1) }))
  // A core that thinks that its next heartbeat has long been due.
  const hasty = { ...segment.first, nextBeatAtMs: Number.NEGATIVE_INFINITY, dueAtMs: Number.NEGATIVE_INFINITY }
  const odd = [...replaySegment({ ...segment, first: hasty })].find(({ isSame }) => !isSame)
  expect(odd?.event).toBeNull()
  expect(odd?.effects.map(({ kind }) => kind)).toContain('send-heartbeat')
})
