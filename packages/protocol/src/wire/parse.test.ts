import { bytesToHex as hexOf } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../errors.ts'
import { arbitraryRecord, arbitraryRecords } from '../testing/arbitrary-records.ts'
import { fixedRecords, hostIdOf, MESH, OTHER_MESH } from '../testing/fixed-records.ts'
import { decodeCanonical, encodeCanonical } from './canonical.ts'
import { bytesToSignOf, encodeRecord, nestedOf } from './encode.ts'
import { bytesToSign, encodeEnvelope } from './envelope.ts'
import { wireLimits } from './limits.ts'
import { recordIdOf } from './names.ts'
import { parseRecord } from './parse.ts'
import type { AnySigned } from './records.ts'

const OPTIONS = { mesh: MESH, bytesMax: wireLimits.recordBytes }

/** The code with which these bytes are refused; `accepted` when they are not. Anything but a `ProtocolError` passes on. */
function codeOf(bytes: Uint8Array, options = OPTIONS): string {
  try {
    parseRecord(bytes, options)
    return 'accepted'
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

type Tree = { [key: string]: unknown }

/** The bytes of a record after its decoded envelope was changed. */
function changed(record: AnySigned, change: (envelope: Tree) => void): Uint8Array {
  const envelope = decodeCanonical(encodeRecord(record), wireLimits.recordBytes) as Tree
  change(envelope)
  return encodeCanonical(envelope)
}

/** Sets what stands at a path like `b.results.0.text`; `undefined` takes it away. */
function setAt(tree: unknown, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const parent = keys.reduce((node, key) => (node as Tree)[key], tree) as Tree
  if (value === undefined) delete parent[last]
  else parent[last] = value
}

describe('a record', () => {
  test.each(Object.entries(arbitraryRecords))('of domain %s survives the journey', (_, arbitrary) => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<AnySigned>, (record) => {
        const bytes = encodeRecord(record)
        const parsed = parseRecord(bytes, OPTIONS)
        expect(parsed).toEqual(record)
        expect(hexOf(encodeRecord(parsed))).toBe(hexOf(bytes))
        expect(hexOf(bytesToSignOf(parsed))).toBe(hexOf(bytesToSignOf(record)))
        expect(recordIdOf(parsed)).toBe(recordIdOf(record))
      }),
      { numRuns: 150 },
    )
  })

  test('with changed bytes is refused as a protocol error, or is another record', () => {
    fc.assert(
      fc.property(arbitraryRecord, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, place, flip) => {
        const bytes = encodeRecord(record)
        const index = place % bytes.byteLength
        const mutated = bytes.with(index, (bytes[index] ?? 0) ^ flip)
        if (codeOf(mutated) === 'accepted')
          expect(hexOf(encodeRecord(parseRecord(mutated, OPTIONS)))).toBe(hexOf(mutated))
      }),
      { numRuns: 4_000 },
    )
  })

  test('cut short or drawn out is malformed', () => {
    fc.assert(
      fc.property(arbitraryRecord, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (record, place, more) => {
        const bytes = encodeRecord(record)
        expect(codeOf(bytes.subarray(0, place % bytes.byteLength))).toBe('malformed')
        expect(codeOf(new Uint8Array([...bytes, ...more]))).toBe('malformed')
      }),
      { numRuns: 500 },
    )
  })

  test('of random bytes is refused as a protocol error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).not.toBe('accepted')
      }),
      { numRuns: 3_000 },
    )
  })

  test.each([100, 1_000, 2_000, 20_000])('of %i lists or maps in each other is malformed', (depth) => {
    expect(codeOf(listsIn(depth))).toBe('malformed')
    expect(codeOf(mapsIn(depth))).toBe('malformed')
  })

  test('of any number of maps in each other is malformed: reader and writer overflow at different depths', () => {
    for (let depth = 2_000; depth < 5_000; depth += 100) expect(codeOf(mapsIn(depth))).toBe('malformed')
  })
})

/** `[[[…0…]]]` and `{b: {b: …0…}}`. */
function listsIn(depth: number): Uint8Array {
  return new Uint8Array(depth + 1).fill(0x81, 0, depth)
}

function mapsIn(depth: number): Uint8Array {
  return new Uint8Array([...new Array(depth).fill([0xa1, 0x61, 0x62]).flat(), 0])
}

describe('an envelope', () => {
  const { heartbeat, vote, verdict } = fixedRecords
  test.each<[string, string, Uint8Array]>([
    ['of our mesh is read', 'accepted', encodeRecord(heartbeat)],
    ['of another mesh is refused', 'other-mesh', encodeRecord({ ...heartbeat, mesh: OTHER_MESH })],
    ['of a later version is refused as such', 'newer-version', encodeRecord({ ...heartbeat, version: 2 })],
    ['of a later version with other keys too', 'newer-version', encodeCanonical({ v: 9, x: 1 })],
    ['of version 0 is malformed', 'malformed', encodeRecord({ ...heartbeat, version: 0 })],
    ['of half a version is malformed', 'malformed', encodeRecord({ ...heartbeat, version: 0.5 })],
    ['of an unknown domain is malformed', 'malformed', changed(heartbeat, (e) => setAt(e, 'd', 'gossip'))],
    [
      'of a domain that objects inherit is malformed',
      'malformed',
      changed(heartbeat, (e) => setAt(e, 'd', 'constructor')),
    ],
    ['whose body is of another domain is malformed', 'malformed', changed(heartbeat, (e) => setAt(e, 'd', 'vote'))],
    ['with one key more is malformed', 'malformed', changed(heartbeat, (e) => setAt(e, 'x', 1))],
    ['without a signer is malformed', 'malformed', changed(heartbeat, (e) => setAt(e, 's', undefined))],
    ['whose signer is no host is malformed', 'malformed', changed(heartbeat, (e) => setAt(e, 's', 'vps-1'))],
    ['without a signature is malformed', 'malformed', encodeRecord({ ...heartbeat, signature: new Uint8Array() })],
    ['with a long signature is malformed', 'malformed', encodeRecord({ ...heartbeat, signature: new Uint8Array(65) })],
    ['that is a list is malformed', 'malformed', encodeCanonical([1])],
    ['that is null is malformed', 'malformed', encodeCanonical(null)],
    ['with its keys in another order is not canonical', 'not-canonical', swapKeys(encodeRecord(fixedRecords.leave))],
    ['with a long number for a short one is refused', 'malformed', new Uint8Array([0x18, 0x01])],
    [
      'inside a vote, of another mesh, is refused',
      'other-mesh',
      changed(vote, (e) => setAt(e, 'b.evidence.m', OTHER_MESH)),
    ],
    [
      'inside a vote, of a later version, is refused',
      'newer-version',
      changed(vote, (e) => setAt(e, 'b.evidence.v', 2)),
    ],
    [
      'inside a vote, of another domain, is malformed',
      'malformed',
      changed(vote, (e) => setAt(e, 'b.evidence.d', 'entry')),
    ],
    [
      'inside a vote, of another host, is malformed',
      'malformed',
      changed(vote, (e) => setAt(e, 'b.evidence.s', hostIdOf('x'))),
    ],
    ['inside a vote, of text, is malformed', 'malformed', changed(vote, (e) => setAt(e, 'b.evidence', 'none'))],
    [
      'inside a verdict, unsigned, is malformed',
      'malformed',
      changed(verdict, (e) => setAt(e, 'b.votes.0.g', new Uint8Array())),
    ],
    [
      'inside a verdict, of another mesh, is refused',
      'other-mesh',
      changed(verdict, (e) => setAt(e, 'b.votes.0.m', OTHER_MESH)),
    ],
    [
      'two deep, of another mesh, is refused',
      'other-mesh',
      changed(verdict, (e) => setAt(e, 'b.votes.0.b.evidence.m', OTHER_MESH)),
    ],
    [
      'two deep, with a bad body, is malformed',
      'malformed',
      changed(verdict, (e) => setAt(e, 'b.votes.0.b.evidence.b.beat', -1)),
    ],
    [
      'a verdict with a vote on another host is malformed',
      'malformed',
      changed(verdict, (e) => {
        setAt(e, 'b.votes.0.b.subject', hostIdOf('x'))
        setAt(e, 'b.votes.0.b.evidence', null)
      }),
    ],
    [
      'a verdict with a heartbeat for a vote is malformed',
      'malformed',
      changed(verdict, (e) => setAt(e, 'b.votes.0', (e.b as Tree).evidence)),
    ],
  ])('%s', (_, code, bytes) => {
    expect(codeOf(bytes)).toBe(code)
  })

  test('of more bytes than asked for is not read', () => {
    const bytes = encodeRecord(fixedRecords.verdict)
    expect(codeOf(bytes, { mesh: MESH, bytesMax: bytes.byteLength })).toBe('accepted')
    expect(codeOf(bytes, { mesh: MESH, bytesMax: bytes.byteLength - 1 })).toBe('too-large')
  })
})

describe('a body', () => {
  const long = (chars: number) => 'x'.repeat(chars)
  const times = <T>(count: number, value: T) => new Array<T>(count).fill(value)
  test.each<[keyof typeof fixedRecords, string, unknown, unknown]>([
    // record, path, the most (or least) that is taken, the first that is not
    ['heartbeat', 'life.incarnation', 2 ** 32 - 1, 2 ** 32],
    ['heartbeat', 'life.epoch', 0, -1],
    ['heartbeat', 'life', { incarnation: 1, epoch: 0 }, { incarnation: 1 }],
    ['heartbeat', 'beat', Number.MAX_SAFE_INTEGER, 2 ** 53],
    ['heartbeat', 'beat', 0, 0.5],
    ['heartbeat', 'everyMs', 86_400_000, 86_400_001],
    ['heartbeat', 'everyMs', 100, 99],
    ['heartbeat', 'graceMs', 100, 0],
    ['heartbeat', 'restartMs', 0, -1],
    ['heartbeat', 'sleeps', true, 1],
    ['heartbeat', 'mode', 'stopping', 'down'],
    ['heartbeat', 'head', null, undefined],
    ['heartbeat', 'head.cid', `bafyrei${'b'.repeat(52)}`, `bafkrei${'b'.repeat(52)}`],
    ['heartbeat', 'observers', times(16, hostIdOf('x')), times(17, hostIdOf('x'))],
    ['heartbeat', 'observers', [], ['vps-1']],
    ['heartbeat', 'wakuAgeMs', null, -1],
    ['heartbeat', 'sets', '0123456789abcdef', '0123456789ABCDEF'],
    ['heartbeat', 'nonce', long(64), long(65)],
    ['heartbeat', 'nonce', 'a', ''],
    ['vote', 'ageMs', 0, -1],
    ['vote', 'ageMs', 1, 1.5],
    ['vote', 'evidence', null, undefined],
    ['vote', 'subject', hostIdOf('v'), hostIdOf('0')],
    ['verdict', 'fault', 'asleep', 'planned'],
    ['verdict', 'votes', [], null],
    ['verdict', 'alone', true, null],
    ['verdict', 'heardUnixMs', -20_000, Number.MAX_SAFE_INTEGER],
    ['verdict', 'observers', 64, 65],
    ['verdict', 'outages', 600, 601],
    ['entry', 'seq', 1, 0],
    ['entry', 'previous', null, ''],
    ['entry', 'results', [], {}],
    ['entry', 'retired', times(1_000, 'x'), times(1_001, 'x')],
    ['entry', 'results.0.text', long(200), long(201)],
    ['entry', 'results.0.text', 'größer', 'a\u001b[31m'],
    ['entry', 'results.0.because', '', 'two\nlines'],
    ['entry', 'results.0.check', long(64), ''],
    ['entry', 'results.0.status', 'late', 'fine'],
    ['entry', 'results.0.judgement', null, 'late'],
    ['entry', 'results.0.values', {}, []],
    ['entry', 'results.0.values', { a: 1e300, b: '', c: false }, { a: null }],
    ['entry', 'results.0.values', { a: 1 }, { a: 2n ** 60n }],
    ['entry', 'results.0.values', { a: long(200) }, { a: long(201) }],
    ['entry', 'results.0.values', { [long(64)]: 1 }, { [long(65)]: 1 }],
    ['entry', 'results.0.values', valuesOf(64), valuesOf(65)],
    ['entry', 'results.0.graceMs', 0, -1],
    ['entry', 'results.0.everyMs', 100, 0],
    ['entry', 'results.0.extra', undefined, 1],
    ['notice', 'incidents', ['ab'.repeat(16)], []],
    ['notice', 'incidents', times(512, 'ab'.repeat(16)), times(513, 'ab'.repeat(16))],
    ['notice', 'incidents', ['ab'.repeat(16)], ['ab'.repeat(15)]],
    ['notice', 'step', 'delivered', 'lost'],
    ['notice', 'transition', 'reminder-999999', 'reminder-0'],
    ['notice', 'transition', 'worse', 'reminder-1000000'],
    ['notice', 'transition', 'resolved', 'reminder-1e3'],
    ['notice', 'recipient', 'ab'.repeat(16), 'AB'.repeat(16)],
    ['member', 'name', long(63), long(64)],
    ['member', 'name', 'vps-1', 'vps 1'],
    ['member', 'addresses', times(16, long(256)), times(17, 'x')],
    ['member', 'addresses', [], [long(257)]],
    ['member', 'certificate', new Uint8Array(1_024), new Uint8Array(1_025)],
    ['member', 'kind', 'member', 'owner'],
    ['recipient', 'publicKey', new Uint8Array(33), new Uint8Array(32)],
    ['recipient', 'name', long(64), long(65)],
    ['recipient-removed', 'record', 'ab'.repeat(16), 'ab'.repeat(32)],
    ['ack', 'by', '', long(65)],
    ['silence', 'forMs', 366 * 86_400_000, 366 * 86_400_000 + 1],
    ['silence', 'matcher', long(200), long(201)],
    ['maintenance', 'host', hostIdOf('x'), 'vps-1'],
  ])('of %s: %s has a bound', (name, path, good, bad) => {
    const record = fixedRecords[name]
    expect(codeOf(changed(record, (envelope) => setAt(envelope, `b.${path}`, good)))).toBe('accepted')
    expect(codeOf(changed(record, (envelope) => setAt(envelope, `b.${path}`, bad)))).toBe('malformed')
  })

  test.each(Object.entries(fixedRecords))('of %s takes no further key and lacks none', (_, record) => {
    expect(codeOf(changed(record, (envelope) => setAt(envelope, 'b.more', 1)))).toBe('malformed')
    for (const key of Object.keys(record.body)) {
      expect(codeOf(changed(record, (envelope) => setAt(envelope, `b.${key}`, undefined)))).toBe('malformed')
    }
  })

  test('an entry has at most fifty results, a verdict at most twenty-four votes', () => {
    const { entry, verdict } = fixedRecords
    const [result] = entry.body.results
    const results = (count: number) => changed(entry, (e) => setAt(e, 'b.results', times(count, result)))
    expect([codeOf(results(50)), codeOf(results(51))]).toEqual(['accepted', 'malformed'])
    const votes = (count: number) =>
      changed(verdict, (e) => setAt(e, 'b.votes', times(count, ((e.b as Tree).votes as unknown[])[0])))
    expect([codeOf(votes(24)), codeOf(votes(25))]).toEqual(['accepted', 'malformed'])
  })

  test('the largest honest verdict fits into a frame', () => {
    const { verdict, heartbeat } = fixedRecords
    const evidence = { ...heartbeat, body: { ...heartbeat.body, observers: times(16, hostIdOf('x')), beat: 2 ** 50 } }
    const [vote] = verdict.body.votes
    if (vote === undefined) throw new Error('the fixed verdict has a vote')
    const full = { ...vote, body: { ...vote.body, evidence } }
    const bytes = encodeRecord({ ...verdict, body: { ...verdict.body, evidence, votes: times(24, full) } })
    expect(codeOf(bytes)).toBe('accepted')
  })

  test('no text of the peer gets into the message of a refusal but a cleaned path', () => {
    const hostile = `\u001b[2J${'x'.repeat(500)}`
    const bytes = changed(fixedRecords.entry, (e) => setAt(e, 'b.results.0.values', { [hostile]: null }))
    expect(() => parseRecord(bytes, OPTIONS)).toThrow(/^entry: \w+ at [\w.?-]{1,80}$/)
  })
})

function valuesOf(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`v${index}`, index]))
}

/** The same map with its first two keys the other way round: `b` and `d`. */
function swapKeys(bytes: Uint8Array): Uint8Array {
  const { b, d } = decodeCanonical(bytes, 1_000) as { b: unknown; d: unknown }
  const first = 3 + encodeCanonical(b).byteLength
  const second = first + 2 + encodeCanonical(d).byteLength
  return new Uint8Array([
    bytes[0] ?? 0,
    ...bytes.subarray(first, second),
    ...bytes.subarray(1, first),
    ...bytes.subarray(second),
  ])
}

describe('records inside records', () => {
  const { heartbeat, vote, verdict, entry } = fixedRecords

  test('are laid out as envelopes, in what is sent and in what is signed', () => {
    const envelope = (record: AnySigned) => decodeCanonical(encodeRecord(record), wireLimits.recordBytes) as Tree
    expect((envelope(vote).b as Tree).evidence).toEqual(envelope(heartbeat))
    expect((envelope(verdict).b as Tree).votes).toEqual([envelope(vote)])
    expect((envelope(verdict).b as Tree).evidence).toEqual(envelope(heartbeat))
    const said = decodeCanonical(bytesToSignOf(verdict), wireLimits.recordBytes) as unknown[]
    expect(said).toEqual(['muster', 'verdict', 1, MESH, verdict.signer, envelope(verdict).b])
  })

  test('are laid out alike by the functions that do not know the kind of record', () => {
    fc.assert(
      fc.property(arbitraryRecord, (record) => {
        expect(hexOf(encodeEnvelope(record))).toBe(hexOf(encodeRecord(record)))
        expect(hexOf(bytesToSign(record))).toBe(hexOf(bytesToSignOf(record)))
      }),
      { numRuns: 100 },
    )
  })

  test('are listed, at any depth, for their signatures to be checked', () => {
    expect(nestedOf(heartbeat)).toEqual([])
    expect(nestedOf(entry)).toEqual([])
    expect(nestedOf(vote)).toEqual([heartbeat])
    expect(nestedOf(verdict)).toEqual([vote, heartbeat, heartbeat])
    expect(nestedOf({ ...vote, body: { ...vote.body, evidence: null } })).toEqual([])
  })

  test('carry their signatures into what is signed, so that none can be exchanged', () => {
    const forged = { ...heartbeat, signature: new Uint8Array(64).fill(9) }
    const altered = { ...vote, body: { ...vote.body, evidence: forged } }
    expect(bytesToSignOf(altered)).not.toEqual(bytesToSignOf(vote))
    expect(recordIdOf(altered)).not.toBe(recordIdOf(vote))
  })
})

test("a record's id does not hang on its own signature", () => {
  const { verdict } = fixedRecords
  expect(recordIdOf({ ...verdict, signature: new Uint8Array() })).toBe(recordIdOf(verdict))
  expect(recordIdOf({ ...verdict, signer: hostIdOf('x') })).not.toBe(recordIdOf(verdict))
})
