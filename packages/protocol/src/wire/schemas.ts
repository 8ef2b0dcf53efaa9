/**
 * The bodies as they may come off the wire: strict, bounded, without the records nested in them.
 *
 * Built once. Nested records (`evidence`, `votes`) pass here as they are and are read by `parse.ts`.
 */
import { z } from 'zod'
import { wireLimits } from './limits.ts'
import type { Entry, Heartbeat, LogHead, MeshRecord, NoticeRecord, Result, Transition } from './records.ts'

/** C0, delete and C1: none of them belongs into a line that a person reads. */
const CONTROL = /\p{Cc}/u

const int = (least: number, most: number) => z.int().min(least).max(most)
const count = int(0, Number.MAX_SAFE_INTEGER)
const text = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((line) => !CONTROL.test(line))
const bytes = (least: number, most: number) =>
  z.instanceof(Uint8Array).refine(({ byteLength }) => byteLength >= least && byteLength <= most)

/** An Ed25519 peer id as text. Source: https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md */
export const hostId = z.string().regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/)
/** A record's id. */
export const recordId = z.string().regex(/^[0-9a-f]{32}$/)
const hashId = z.string().regex(/^[0-9a-f]{32}$/)
/** A CID v1 of dag-cbor and sha2-256, in base32. */
const cid = z.string().regex(/^bafyrei[a-z2-7]{52}$/)
const hostName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
const unixMs = int(-wireLimits.unixMs, wireLimits.unixMs)
const presenceMs = int(wireLimits.presenceMsMin, wireLimits.presenceMsMax)
const checkName = text(1, wireLimits.nameChars)

const life = z.strictObject({
  incarnation: int(0, wireLimits.incarnation),
  epoch: int(0, wireLimits.incarnation),
})

/** The newest entry of a log. */
export const logHead = z.strictObject({
  incarnation: int(0, wireLimits.incarnation),
  seq: count,
  cid,
}) satisfies z.ZodType<LogHead>

/** A heartbeat. */
export const heartbeatBody = z.strictObject({
  life,
  beat: count,
  everyMs: presenceMs,
  graceMs: presenceMs,
  sleeps: z.boolean(),
  mode: z.enum(['up', 'stopping']),
  restartMs: int(0, wireLimits.presenceMsMax),
  head: logHead.nullable(),
  observers: z.array(hostId).max(wireLimits.observers),
  wakuAgeMs: count.nullable(),
  sets: z.string().regex(/^[0-9a-f]{16}$/),
  nonce: text(1, wireLimits.nonceChars).nullable(),
}) satisfies z.ZodType<Heartbeat>

/** A vote, its evidence not yet read. */
export const voteBody = z.strictObject({
  subject: hostId,
  life,
  beat: count,
  ageMs: int(0, wireLimits.evidenceAgeMs),
  round: count,
  evidence: z.unknown().nonoptional(),
})

/** A verdict, its votes and its evidence not yet read. */
export const verdictBody = z.strictObject({
  subject: hostId,
  life,
  beat: count,
  ageMs: int(0, wireLimits.evidenceAgeMs),
  fault: z.enum(['silent', 'asleep', 'stopped']),
  observers: int(0, wireLimits.voters),
  votes: z.array(z.unknown()).max(wireLimits.votes),
  alone: z.boolean(),
  evidence: z.unknown().nonoptional(),
  heardUnixMs: unixMs,
  outages: int(0, wireLimits.outages),
})

const values = z
  .record(text(1, wireLimits.valueNameChars), z.union([z.number(), z.boolean(), text(0, wireLimits.valueChars)]))
  .refine((held) => Object.keys(held).length <= wireLimits.values)

const result = z.strictObject({
  check: checkName,
  kind: text(1, wireLimits.nameChars),
  status: z.enum(['ok', 'warning', 'critical', 'unknown', 'late']),
  judgement: z.enum(['ok', 'warning', 'critical', 'unknown']).nullable(),
  episode: count,
  values,
  text: text(0, wireLimits.textChars),
  because: text(0, wireLimits.textChars),
  durationMs: int(0, wireLimits.checkMsMax),
  everyMs: int(wireLimits.checkMsMin, wireLimits.checkMsMax),
  graceMs: int(0, wireLimits.checkMsMax),
  heartbeat: z.enum(['awake', 'always', 'never']),
  atUnixMs: unixMs,
}) satisfies z.ZodType<Result>

/** An entry. */
export const entryBody = z.strictObject({
  life,
  seq: int(1, Number.MAX_SAFE_INTEGER),
  previous: cid.nullable(),
  atUnixMs: unixMs,
  results: z.array(result).max(wireLimits.results),
  retired: z.array(checkName).max(wireLimits.retired),
}) satisfies z.ZodType<Entry>

/** Reminders count to a million: hourly for a century. */
const transition = z.custom<Transition>(
  (value) => typeof value === 'string' && /^(?:fired|worse|resolved|reminder-[1-9][0-9]{0,5})$/.test(value),
)

/** A line of the notice log. */
export const noticeBody = z.strictObject({
  step: z.enum(['claim', 'release', 'accepted', 'stored', 'delivered']),
  incidents: z.array(hashId).min(1).max(wireLimits.noticeIncidents),
  transition,
  recipient: hashId,
  attempt: count,
}) satisfies z.ZodType<NoticeRecord>

const addresses = z.array(text(1, wireLimits.addressChars)).max(wireLimits.addresses)
const forMs = int(0, wireLimits.quietMs)

/** A mesh record of any kind. */
export const meshRecordBody = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('member'),
    name: hostName,
    addresses,
    wakuAddresses: addresses,
    everyMs: presenceMs,
    graceMs: presenceMs,
    sleeps: z.boolean(),
    certificate: bytes(0, wireLimits.certificateBytes),
    serial: count,
  }),
  z.strictObject({ kind: z.literal('leave'), life }),
  z.strictObject({
    kind: z.literal('recipient'),
    name: text(1, wireLimits.nameChars),
    publicKey: bytes(wireLimits.recipientKeyBytes, wireLimits.recipientKeyBytes),
    atUnixMs: unixMs,
  }),
  z.strictObject({ kind: z.literal('recipient-removed'), record: recordId, atUnixMs: unixMs }),
  z.strictObject({ kind: z.literal('ack'), incident: hashId, by: text(0, wireLimits.nameChars), atUnixMs: unixMs }),
  z.strictObject({
    kind: z.literal('silence'),
    matcher: text(1, wireLimits.matcherChars),
    forMs,
    atUnixMs: unixMs,
  }),
  z.strictObject({ kind: z.literal('maintenance'), host: hostId, forMs, atUnixMs: unixMs }),
]) satisfies z.ZodType<MeshRecord>

/** The heads of a digest. */
export const digestHeads = z
  .record(hostId, logHead)
  .refine((heads) => Object.keys(heads).length <= wireLimits.digestHeads)

/** A frame: the age of each record, milliseconds, and its envelope's bytes. */
export const frameItems = z
  .array(z.strictObject({ a: int(0, wireLimits.carriedAgeMs), r: z.instanceof(Uint8Array) }))
  .max(wireLimits.frameRecords)

/** A digest: heads by host, and the record ids, their bytes one after another. */
export const digestMap = z.strictObject({
  h: digestHeads,
  r: z
    .instanceof(Uint8Array)
    .refine(({ byteLength }) => byteLength % wireLimits.recordIdBytes === 0)
    .refine(({ byteLength }) => byteLength / wireLimits.recordIdBytes <= wireLimits.digestRecords),
})
