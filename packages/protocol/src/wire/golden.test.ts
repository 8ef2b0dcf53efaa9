/**
 * Golden bytes: what members have said to each other since version 1.
 *
 * A difference here means that releases no longer understand each other, and that stored logs and signatures no longer
 * verify. A change is a new WIRE_VERSION with a fixture of its own; this one is never edited.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import fixture from '../../../../test/fixtures/wire-v1.json' with { type: 'json' }
import { fixedDigest, fixedRecords, MESH } from '../testing/fixed-records.ts'
import { bytesToSignOf, encodeRecord } from './encode.ts'
import { WIRE_VERSION } from './envelope.ts'
import { decodeDigest, decodeFrame, encodeDigest, encodeFrame } from './frames.ts'
import { wireLimits } from './limits.ts'
import { checkIncidentId, hostIncidentId, recipientIdOf, recordIdOf, rendezvousScore } from './names.ts'
import { parseRecord } from './parse.ts'

const { heartbeat, notice, verdict, recipient } = fixedRecords
const frame = [
  { record: heartbeat, ageMs: 0 },
  { record: notice, ageMs: 1_500 },
]
const life = { incarnation: 7, epoch: 1 }

test('the fixture is of the version that this release writes', () => {
  expect(fixture.version).toBe(WIRE_VERSION)
  expect(Object.keys(fixture.records).sort()).toEqual(Object.keys(fixedRecords).sort())
})

test.each(Object.entries(fixedRecords))('a %s keeps its bytes, its signed bytes and its id', (name, record) => {
  const golden = fixture.records[name as keyof typeof fixedRecords]
  expect({
    envelope: bytesToHex(encodeRecord(record)),
    signed: bytesToHex(bytesToSignOf(record)),
    id: recordIdOf(record),
  }).toEqual(golden)
  expect(parseRecord(hexToBytes(golden.envelope), { mesh: MESH, bytesMax: wireLimits.recordBytes })).toEqual(record)
})

test('a frame keeps its bytes', () => {
  expect(bytesToHex(encodeFrame(frame))).toBe(fixture.frame)
  expect(decodeFrame(hexToBytes(fixture.frame), { mesh: MESH })).toEqual(frame)
})

test('a digest keeps its bytes', () => {
  expect(bytesToHex(encodeDigest(fixedDigest))).toBe(fixture.digest)
  expect(decodeDigest(hexToBytes(fixture.digest))).toEqual(fixedDigest)
})

test('the names that every peer computes alike keep their hashes', () => {
  expect({
    hostIncident: hostIncidentId(MESH, verdict.body.subject, life),
    checkIncident: checkIncidentId(MESH, verdict.body.subject, 'disk', 2),
    recipient: recipient.body.kind === 'recipient' ? recipientIdOf(recipient.body.publicKey) : '',
    observer: rendezvousScore('observer', MESH, verdict.body.subject, verdict.signer),
    notifier: rendezvousScore('notifier', MESH, '', verdict.signer),
  }).toEqual(fixture.names)
})
