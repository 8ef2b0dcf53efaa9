/**
 * Golden bytes: what members have said to each other since version 1.
 *
 * A difference here means that releases no longer understand each other, and that stored logs and signatures no longer
 * verify. A change is a new WIRE_VERSION with a fixture of its own; this one is never edited.
 */
import { readFileSync } from 'node:fs'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import { fixedDigest, fixedRecords, MESH } from '../../packages/protocol/src/testing/fixed-records.ts'
import { bytesToSignOf, encodeRecord } from '../../packages/protocol/src/wire/encode.ts'
import { WIRE_VERSION } from '../../packages/protocol/src/wire/envelope.ts'
import { decodeDigest, decodeFrame, encodeDigest, encodeFrame } from '../../packages/protocol/src/wire/frames.ts'
import { wireLimits } from '../../packages/protocol/src/wire/limits.ts'
import {
  checkIncidentId,
  hostIncidentId,
  recipientIdOf,
  recordIdOf,
  rendezvousScore,
} from '../../packages/protocol/src/wire/names.ts'
import { parseRecord } from '../../packages/protocol/src/wire/parse.ts'

interface Fixture {
  readonly version: number
  readonly records: Readonly<
    Record<string, { readonly envelope: string; readonly signed: string; readonly id: string }>
  >
  readonly frame: string
  readonly digest: string
  readonly names: Readonly<Record<string, string>>
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/wire-v1.json', import.meta.url), 'utf8'))

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
  const golden = fixture.records[name]
  if (golden === undefined) throw new Error(`the fixture has no ${name}`)
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
