/** Any record that an honest member may send, for property tests. */
import fc from 'fast-check'
import type { Digest } from '../event.ts'
import { wireLimits } from '../wire/limits.ts'
import type { AnySigned, SignedAs, Transition } from '../wire/records.ts'
import { hostIdOf, MESH } from './fixed-records.ts'

const BASE58 = [...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz']

const hostId = fc.constantFrom(...BASE58).map(hostIdOf)
const hex = (chars: number) => textOf([...'0123456789abcdef'], chars, chars)
const cid = textOf([...'abcdefghijklmnopqrstuvwxyz234567'], 52, 52).map((end) => `bafyrei${end}`)
const count = fc.maxSafeNat()
const incarnation = fc.integer({ min: 0, max: wireLimits.incarnation })
const life = fc.record({ incarnation, epoch: incarnation })
const head = fc.record({ incarnation, seq: count, cid })
const presenceMs = fc.integer({ min: wireLimits.presenceMsMin, max: wireLimits.presenceMsMax })
const evidenceAgeMs = fc.integer({ min: 0, max: wireLimits.evidenceAgeMs })
const unixMs = fc.integer({ min: -wireLimits.unixMs, max: wireLimits.unixMs })
const name = textOf([...'abcXYZ019'], 1, 20)

/** A line with letters of many scripts, of at most so many UTF-16 units. */
function line(least: number, most: number) {
  return fc.string({ unit: 'binary', minLength: least, maxLength: most }).filter(isLine(least, most))
}

function isLine(least: number, most: number) {
  return (text: string) => text.length >= least && text.length <= most && !/[\p{Cc}\p{Cs}]/u.test(text)
}

function textOf(units: readonly string[], least: number, most: number) {
  return fc.string({ unit: fc.constantFrom(...units), minLength: least, maxLength: most })
}

function bytes(least: number, most: number) {
  return fc.uint8Array({ minLength: least, maxLength: most })
}

function signedBy<D extends AnySigned['domain'], B>(domain: D, signer: fc.Arbitrary<string>, body: fc.Arbitrary<B>) {
  return fc
    .record({ signer, body, signature: bytes(64, 64) })
    .map((record) => ({ ...record, domain, version: 1, mesh: MESH }))
}

function heartbeatOf(signer: fc.Arbitrary<string>): fc.Arbitrary<SignedAs<'heartbeat'>> {
  return signedBy(
    'heartbeat',
    signer,
    fc.record({
      life,
      beat: count,
      everyMs: presenceMs,
      graceMs: presenceMs,
      sleeps: fc.boolean(),
      mode: fc.constantFrom('up' as const, 'stopping' as const),
      restartMs: fc.integer({ min: 0, max: wireLimits.presenceMsMax }),
      head: fc.option(head),
      observers: fc.array(hostId, { maxLength: wireLimits.observers }),
      wakuAgeMs: fc.option(count),
      sets: hex(16),
      nonce: fc.option(line(1, wireLimits.nonceChars)),
    }),
  )
}

function voteOn(subject: string): fc.Arbitrary<SignedAs<'vote'>> {
  return signedBy(
    'vote',
    hostId,
    fc.record({
      subject: fc.constant(subject),
      life,
      beat: count,
      ageMs: evidenceAgeMs,
      round: count,
      evidence: fc.option(heartbeatOf(fc.constant(subject))),
    }),
  )
}

function verdictOn(subject: string): fc.Arbitrary<SignedAs<'verdict'>> {
  return signedBy(
    'verdict',
    hostId,
    fc.record({
      subject: fc.constant(subject),
      life,
      beat: count,
      ageMs: evidenceAgeMs,
      fault: fc.constantFrom('silent' as const, 'asleep' as const, 'stopped' as const),
      observers: fc.integer({ min: 0, max: wireLimits.voters }),
      votes: fc.array(voteOn(subject), { maxLength: 4 }),
      alone: fc.boolean(),
      evidence: fc.option(heartbeatOf(fc.constant(subject))),
      heardUnixMs: unixMs,
      outages: fc.integer({ min: 0, max: wireLimits.outages }),
    }),
  )
}

const measured = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value))
const checkMs = fc.integer({ min: wireLimits.checkMsMin, max: wireLimits.checkMsMax })
const judgement = fc.constantFrom('ok' as const, 'warning' as const, 'critical' as const, 'unknown' as const)

const result = fc.record({
  check: name,
  kind: name,
  status: fc.oneof(judgement, fc.constant('late' as const)),
  judgement: fc.option(judgement),
  episode: count,
  values: fc
    .dictionary(name, fc.oneof(measured, fc.boolean(), line(0, 40)), { maxKeys: 8 })
    .map((held) => ({ ...held })),
  text: line(0, 60),
  because: line(0, 60),
  durationMs: checkMs,
  everyMs: checkMs,
  graceMs: checkMs,
  heartbeat: fc.constantFrom('awake' as const, 'always' as const, 'never' as const),
  atUnixMs: unixMs,
})

const entry: fc.Arbitrary<SignedAs<'entry'>> = signedBy(
  'entry',
  hostId,
  fc.record({
    life,
    seq: count.map((seq) => Math.max(1, seq)),
    previous: fc.option(cid),
    atUnixMs: unixMs,
    results: fc.array(result, { maxLength: 5 }),
    retired: fc.array(name, { maxLength: 5 }),
  }),
)

const transition: fc.Arbitrary<Transition> = fc.oneof(
  fc.constantFrom('fired' as const, 'worse' as const, 'resolved' as const),
  fc.integer({ min: 1, max: 999_999 }).map((number) => `reminder-${number}` as const),
)

const notice: fc.Arbitrary<SignedAs<'notice'>> = signedBy(
  'notice',
  hostId,
  fc.record({
    step: fc.constantFrom(
      'claim' as const,
      'release' as const,
      'accepted' as const,
      'stored' as const,
      'delivered' as const,
    ),
    incidents: fc.array(hex(32), { minLength: 1, maxLength: 4 }),
    transition,
    recipient: hex(32),
    attempt: count,
  }),
)

const forMs = fc.integer({ min: 0, max: wireLimits.quietMs })
const addresses = fc.array(line(1, 80), { maxLength: wireLimits.addresses })
const kindOf = <K extends string>(kind: K) => fc.constant(kind)

const meshRecord: fc.Arbitrary<SignedAs<'record'>> = signedBy(
  'record',
  hostId,
  fc.oneof(
    fc.record({
      kind: kindOf('member'),
      name,
      addresses,
      wakuAddresses: addresses,
      everyMs: presenceMs,
      graceMs: presenceMs,
      sleeps: fc.boolean(),
      certificate: bytes(0, 400),
      serial: count,
    }),
    fc.record({ kind: kindOf('leave'), life }),
    fc.record({ kind: kindOf('recipient'), name: line(1, 64), publicKey: bytes(33, 33), atUnixMs: unixMs }),
    fc.record({ kind: kindOf('recipient-removed'), record: hex(32), atUnixMs: unixMs }),
    fc.record({ kind: kindOf('ack'), incident: hex(32), by: line(0, 64), atUnixMs: unixMs }),
    fc.record({ kind: kindOf('silence'), matcher: line(1, 64), forMs, atUnixMs: unixMs }),
    fc.record({ kind: kindOf('maintenance'), host: hostId, forMs, atUnixMs: unixMs }),
  ),
)

/** Any record of each domain. */
export const arbitraryRecords = {
  heartbeat: heartbeatOf(hostId),
  vote: hostId.chain(voteOn),
  verdict: hostId.chain(verdictOn),
  entry,
  notice,
  record: meshRecord,
} as const

/** Any record. */
export const arbitraryRecord: fc.Arbitrary<AnySigned> = fc.oneof(...Object.values(arbitraryRecords))

/** Any records with ages, as a frame carries them. */
export const arbitraryCarried = fc.array(
  fc.record({ record: arbitraryRecord, ageMs: fc.integer({ min: 0, max: wireLimits.carriedAgeMs }) }),
  { maxLength: 6 },
)

/** Any digest. */
export const arbitraryDigest: fc.Arbitrary<Digest> = fc.record({
  heads: fc.dictionary(hostId, head, { maxKeys: 12 }).map((heads) => ({ ...heads })),
  records: fc.array(hex(32), { maxLength: 40 }),
})
