import { type Carried, decodeFrame, type Effect } from '@muster/protocol'
import { expect, test } from 'vitest'
import type { Happening, Loop } from '../loop.ts'
import { createPerforming, type PerformingDeps } from './performing.ts'
import { entryOf, hostIdOf, MESH } from './testing/entries.ts'

const VPS = hostIdOf('v')
const moment = (ms: number) => ({ monotonicMs: ms, bootMs: ms, unixMs: 0 })

/** Hands whose swarm, telling and loop write down what they are given. What they are not given is not there. */
function createWorld() {
  const sent: Carried[][] = []
  const told: string[] = []
  const dispatched: Happening[] = []
  const note = (what: string) => (attempt: number) => void told.push(`${what} ${attempt}`)
  const deps = {
    mesh: MESH,
    swarm: () => ({
      send: async (_: string, [frame]: readonly Uint8Array[]) => void sent.push(carriedIn(frame)),
      sendHeartbeat: (_: readonly string[], frame: Uint8Array) => void sent.push(carriedIn(frame)),
    }),
    seal: { signed: <R>(record: R): R => record },
    telling: { depart: async (attempt: number) => note('depart')(attempt), abandon: note('abandon') },
    clock: { now: () => moment(10_000) },
    supervisor: { background: (_: string, work: Promise<unknown>) => void work },
    loop: () => ({ dispatch: (happening: Happening) => void dispatched.push(happening) }) as unknown as Loop,
    signal: new AbortController().signal,
  }
  return { performing: createPerforming(deps as unknown as PerformingDeps), sent, told, dispatched }
}

function carriedIn(frame: Uint8Array | undefined): Carried[] {
  return frame === undefined ? [] : [...decodeFrame(frame, { mesh: MESH })]
}

const entry = entryOf({ signer: VPS, seq: 1 })

test('what waited for the disk is sent with its age as it is then', async () => {
  const { performing, sent } = createWorld()
  const send: Effect = { kind: 'send', to: VPS, carried: [{ record: entry, ageMs: 3_000 }] }
  await performing.perform(send, moment(10_000))
  await performing.perform(send, moment(7_500))
  expect(sent.map(([first]) => first?.ageMs)).toEqual([3_000, 5_500])
})

test('a notice leaves at once or not at all: the word that it may is good for half a second', async () => {
  const { performing, told, dispatched } = createWorld()
  await performing.perform({ kind: 'depart', attempt: 1 }, moment(9_500))
  expect(told).toEqual(['depart 1'])
  await performing.perform({ kind: 'depart', attempt: 2 }, moment(9_499))
  expect(told).toEqual(['depart 1', 'abandon 2'])
  expect(dispatched).toEqual([{ kind: 'sent', attempt: 2, outcome: 'refused' }])
})
