/** `muster verify` on a host that signed two histories. */
import { encodeRecord, recordIdOf, type SignedAs } from '@muster/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  entryBy,
  entryRow,
  heartbeatBy,
  held,
  type Row,
  recordRow,
  storedEntry,
  verdictBy,
} from '../audit/testing/kept-mesh.ts'
import { at, createKeptWorld, entryOfVps, type KeptWorld, laptop, vps } from '../audit/testing/kept-world.ts'
import { newestKey } from '../shell/restoring.ts'
import { headOf } from '../shell/testing/entries.ts'

let world: KeptWorld
beforeAll(async () => {
  world = await createKeptWorld()
})
afterAll(() => world.remove())

const otherSecond = entryBy(vps, at(1, 2), headOf(entryOfVps(0)).cid, { atUnixMs: 5 })
const cidOfOther = headOf(otherSecond).cid
const cidOf = (index: number): string => headOf(entryOfVps(index)).cid
const put = (place: ReturnType<typeof at>, entry: SignedAs<'entry'>): Row =>
  entryRow(vps.self, place, storedEntry(entry))

describe('two histories of one host are proof, with both names', () => {
  test.each<[what: string, rows: readonly Row[], place: string, cids: readonly string[]]>([
    [
      'an entry that the next one does not name',
      [put(at(1, 2), otherSecond)],
      'life 1 entry 3: the entry before it that it names is not the one that is there',
      [cidOfOther, cidOf(1)],
    ],
    [
      'two entries of one number in a log',
      [put(at(3, 4), otherSecond)],
      'life 3 entry 4: entry 2 of life 1 is kept in its place, and is another than the one in its own',
      [cidOf(1), cidOfOther],
    ],
    [
      'another entry of that number, kept for its rare check',
      [recordRow('members', newestKey(vps.self, 'disk'), encodeRecord(otherSecond))],
      'life 1 entry 2: two entries of this number bear its host',
      [cidOf(1), cidOfOther],
    ],
    [
      'a heartbeat inside a verdict that names another entry',
      ((): readonly Row[] => {
        const other = verdictBy(laptop, heartbeatBy(vps, { ...at(1, 2), cid: cidOfOther }))
        return [recordRow('verdicts', recordIdOf(other), held(other))]
      })(),
      'life 1 entry 2: two entries of this number bear its host',
      [cidOf(1), cidOfOther],
    ],
    [
      'a beginning where there was something before',
      [put(at(3, 1), entryBy(vps, at(3, 1), null))],
      'life 3 entry 1: it says that nothing was before it, and entry 4 of life 1 was',
      [cidOf(3)],
    ],
  ])('%s', async (_, rows, place, cids) => {
    const { code, out } = await world.verify('--dir', await world.meddled(...rows))
    expect(code).toBe(1)
    expect(out).toMatch(/^vps-1 .* WRONG$/mu)
    expect(out).toContain(`  ${place}`)
    expect(out).toContain(`    proof: ${cids.join(' and ')}\n`)
    expect(out).toMatch(/^laptop .* whole$/mu)
  })
})
