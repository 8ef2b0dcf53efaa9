import { type AnySigned, encodeFrame } from '@muster/protocol'
import { expect, test } from 'vitest'
import type { Happening, Loop } from '../loop.ts'
import { createInbound } from './inbound.ts'
import type { SealOfOrigin } from './seal-of-origin.ts'
import { entryOf, hostIdOf, MESH, resultOf } from './testing/entries.ts'

const SELF_SEAL: SealOfOrigin = {
  signed: (record) => record,
  verify: () => undefined,
  verifyLater: async () => undefined,
  isMember: () => true,
}
const VPS = hostIdOf('v')
const LAPTOP = hostIdOf('L')

test('an entry straight from its host in which all is well is kept; all else is passed on', () => {
  const taken: Happening[] = []
  type Incidents = ReadonlyMap<string, { readonly host: string; readonly state: 'firing' | 'resolved' }>
  // A new map for each change, as the core has it.
  let incidents: Incidents = new Map()
  const loop = {
    dispatch: (happening: Happening) => taken.push(happening),
    state: () => ({ incidents }),
  } as unknown as Loop
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
  const inbound = createInbound({ mesh: MESH, seal: SELF_SEAL, loop: () => loop, log })
  const frameOf = (record: AnySigned): Uint8Array => encodeFrame([{ record, ageMs: 0 }])
  const well = frameOf(entryOf({ signer: VPS, seq: 1, results: [resultOf('disk')] }))
  const bad = frameOf(entryOf({ signer: VPS, seq: 2, results: [resultOf('disk', { status: 'critical' })] }))
  const worse = frameOf(entryOf({ signer: VPS, seq: 3, results: [resultOf('disk', { judgement: 'warning' })] }))
  const retired = frameOf(entryOf({ signer: VPS, seq: 4, retired: ['disk'] }))
  expect(inbound.frame(VPS, well, 'gossip')).toBe('keep')
  for (const frame of [bad, worse, retired]) expect(inbound.frame(VPS, frame, 'gossip')).toBe('accept')
  expect(inbound.frame(LAPTOP, well, 'gossip')).toBe('accept')
  expect(inbound.frame(VPS, Uint8Array.of(1), 'gossip')).toBe('reject')
  incidents = new Map([
    ['a', { host: VPS, state: 'resolved' }],
    ['b', { host: LAPTOP, state: 'firing' }],
  ])
  expect(inbound.frame(VPS, well, 'gossip')).toBe('keep')
  incidents = new Map([...incidents, ['c', { host: VPS, state: 'firing' }]])
  expect(inbound.frame(VPS, well, 'gossip')).toBe('accept')
  expect(taken).toHaveLength(7)
})
