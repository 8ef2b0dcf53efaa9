/** `muster verify` on stores that somebody or something has damaged. */
import { encodeRecord, recordIdOf, type SignedAs } from '@muster/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  anyId,
  entryBy,
  entryRow,
  heartbeatBy,
  held,
  memberRecord,
  type Row,
  recordRow,
  storedEntry,
  verdictBy,
} from '../audit/testing/kept-mesh.ts'
import {
  at,
  createKeptWorld,
  entryOfVps,
  type KeptWorld,
  laptop,
  laptopLog,
  members,
  notice,
  stranger,
  there,
  verdict,
  vps,
} from '../audit/testing/kept-world.ts'
import { newestKey } from '../shell/restoring.ts'
import { headOf } from '../shell/testing/entries.ts'
import { entryKey } from '../storage/keys.ts'

let world: KeptWorld
beforeAll(async () => {
  world = await createKeptWorld()
})
afterAll(() => world.remove())

const bent = new Uint8Array(encodeRecord(entryOfVps(1)))
/** Within the signature, whose map key is `g`. */
const bentAt = Buffer.from(bent).indexOf(entryOfVps(1).signature) + 9
bent[bentAt] = (bent[bentAt] ?? 0) ^ 1
const impostor: SignedAs<'entry'> = { ...entryOfVps(1), signature: laptop.hostKey.sign(new Uint8Array(9)) }
const cidOf = (index: number): string => headOf(entryOfVps(index)).cid
const put = (place: ReturnType<typeof at>, entry: SignedAs<'entry'>): Row =>
  entryRow(vps.self, place, storedEntry(entry))
const badVote: SignedAs<'verdict'> = { ...verdict, body: { ...verdict.body, outages: 2 } }
const badEvidence = verdictBy(laptop, { ...heartbeatBy(vps, null), signature: new Uint8Array(64).fill(3) })
const uncertified = { ...members[0], body: { ...members[0]?.body, certificate: stranger.certificate } }

const renamed = memberRecord(vps, 'vps-2')

describe('damage is told with its place', () => {
  test.each<[what: string, rows: readonly Row[], said: readonly RegExp[]]>([
    [
      'a flipped bit in an entry',
      [entryRow(vps.self, at(1, 2), { ...storedEntry(entryOfVps(1)), bytes: bent })],
      [/^ {2}life 1 entry 2: the signature is not that of its signer$/mu],
    ],
    [
      'a signature of another host',
      [put(at(1, 2), impostor)],
      [/^ {2}life 1 entry 2: the signature is not that of its signer$/mu],
    ],
    [
      'a missing entry',
      [[entryKey(vps.self, at(1, 3)), null]],
      [/^ {2}life 1 entry 4: entry 3 of life 1 before it: removed, or lost by a disk/mu],
    ],
    [
      'the missing beginning of a life',
      [
        [entryKey(vps.self, at(3, 1)), null],
        [entryKey(vps.self, at(3, 2)), null],
      ],
      [/^ {2}life 3 entry 3: entries 1 to 2 of life 3 before it/mu],
    ],
    [
      'the missing end of a life',
      [[entryKey(vps.self, at(1, 4)), null]],
      [/^ {2}life 3 entry 1: it names another entry before it than entry 3 of life 1: later ones of that life/mu],
    ],
    [
      'swapped entries',
      [put(at(1, 2), entryOfVps(2)), put(at(1, 3), entryOfVps(1))],
      [/^ {2}life 1 entry 2: entry 3 of life 1 is kept in its place$/mu, /^ {2}life 1 entry 3: entry 2 of life 1 is/mu],
    ],
    [
      'an entry of another host',
      [entryRow(vps.self, at(1, 2), storedEntry(there(laptopLog[1])))],
      [/^ {2}life 1 entry 2: an entry of another host is kept in its place$/mu],
    ],
    [
      'an entry under the hash of another',
      [entryRow(vps.self, at(1, 2), { ...storedEntry(entryOfVps(1)), cid: cidOf(3) })],
      [/^ {2}life 1 entry 2: it is kept under the hash of another$/mu],
    ],
    [
      'an entry of another mesh',
      [put(at(1, 2), entryBy({ ...vps, mesh: stranger.mesh }, at(1, 2), cidOf(0)))],
      [/^ {2}life 1 entry 2: a record of another mesh$/mu],
    ],
    [
      'a record where an entry belongs',
      [entryRow(vps.self, at(1, 2), { ...storedEntry(entryOfVps(1)), bytes: encodeRecord(notice) })],
      [/^ {2}life 1 entry 2: a notice is kept where an entry belongs$/mu],
    ],
    [
      'an entry of an epoch that had ended',
      [
        put(at(3, 2), entryBy(vps, at(3, 2), cidOf(4), { life: { incarnation: 3, epoch: 1 } })),
        put(
          at(3, 3),
          entryBy(vps, at(3, 3), headOf(entryBy(vps, at(3, 2), cidOf(4), { life: { incarnation: 3, epoch: 1 } })).cid),
        ),
      ],
      [/^ {2}life 3 entry 3: it is of a life that had ended before$/mu],
    ],
    [
      'a damaged verdict',
      [recordRow('verdicts', recordIdOf(verdict), held(badVote))],
      [/^ {2}verdict [0-9a-f]{8}: the signature is not that of its signer$/mu],
    ],
    [
      'a verdict on forged evidence',
      [recordRow('verdicts', recordIdOf(badEvidence), held(badEvidence))],
      [/^ {2}verdict [0-9a-f]{8}: the signature of a heartbeat inside it, by \w{8}, is not that of its signer$/mu],
    ],
    [
      'a verdict that cannot be read',
      [recordRow('verdicts', recordIdOf(verdict), new Uint8Array([1, 2, 3]))],
      [/^WRONG verdict [0-9a-f]{8}: the bytes on disk are not those that were written$/mu],
    ],
    [
      'a notice in the place of another',
      [recordRow('notice-log', anyId, held(notice))],
      [/^ {2}notice [0-9a-f]{8}: another record is kept in its place$/mu],
    ],
    [
      'a host without a certificate',
      [recordRow('mesh-records', recordIdOf(there(members[0])), null)],
      [/^\w{8} .* WRONG$/mu, /^ {2}no certificate of the mesh is kept for this host$/mu],
    ],
    [
      'a certificate of another mesh',
      [recordRow('mesh-records', recordIdOf(there(members[0])), held(uncertified as SignedAs<'record'>))],
      [
        /^ {2}no certificate of the mesh is kept for this host$/mu,
        /^ {2}mesh record [0-9a-f]{8}: its certificate is not genuine: a certificate of another mesh$/mu,
      ],
    ],
    [
      'a certificate of another name',
      [recordRow('mesh-records', recordIdOf(renamed), held(renamed))],
      [/^ {2}mesh record [0-9a-f]{8}: its certificate is of another host or name$/mu],
    ],
    [
      'a last entry of a check that it does not hold',
      [recordRow('members', newestKey(vps.self, 'backup'), encodeRecord(entryOfVps(1)))],
      [/^ {2}last entry with check backup: another record is kept in its place$/mu],
    ],
  ])('%s', async (_, rows, said) => {
    const { code, out, err } = await world.verify('--dir', await world.meddled(...rows))
    expect({ code, err }).toEqual({ code: 1, err: '' })
    for (const line of said) expect(out).toMatch(line)
    expect(out).not.toContain('proof: ')
  })
})
