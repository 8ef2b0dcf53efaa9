/**
 * Content topics: where a recipient's messages are found, without its name on them.
 *
 * A topic is /muster/1/<32 hex digits>/proto, the digits being the first 16 bytes of a sha256. It changes each week, so
 * that an observer cannot follow a recipient for long; a receiver asks for the last, the present and the next week,
 * which also forgives a clock that is days off.
 */
import { createHash } from 'node:crypto'

/** How long a topic lasts, in milliseconds: one week, counted from 1970-01-01 00:00 UTC (a Thursday). */
export const TOPIC_PERIOD_MS = 7 * 24 * 60 * 60 * 1000

/** What a topic is for: notices to the recipient, or its answers to the mesh. */
export type TopicPurpose = 'notice' | 'answer'

/** The number of the week that a moment of the wall clock lies in. */
export function topicPeriod(unixMs: number): number {
  return Math.floor(unixMs / TOPIC_PERIOD_MS)
}

/**
 * The topic of a recipient in one period: sha256("muster " ‖ purpose ‖ period as u32 big-endian ‖ public key), where the
 * public key has 65 bytes (uncompressed).
 */
export function recipientTopic(purpose: TopicPurpose, publicKey: Uint8Array, period: number): string {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(period)
  return topicOf(createHash('sha256').update(`muster ${purpose}`).update(number).update(publicKey).digest())
}

/** The topic to write to now. */
export function currentTopic(purpose: TopicPurpose, publicKey: Uint8Array, unixMs: number): string {
  return recipientTopic(purpose, publicKey, topicPeriod(unixMs))
}

/** The topics to listen to now: last, present and next week. */
export function topicsAround(purpose: TopicPurpose, publicKey: Uint8Array, unixMs: number): readonly string[] {
  const period = topicPeriod(unixMs)
  return [period - 1, period, period + 1]
    .filter((number) => number >= 0)
    .map((number) => recipientTopic(purpose, publicKey, number))
}

/** The topics of one pairing, from the link's secret: `hello` to the mesh, `welcome` to the device. */
export function pairingTopic(side: 'hello' | 'welcome', secret: Uint8Array): string {
  return topicOf(createHash('sha256').update(`muster pairing ${side}`).update(secret).digest())
}

function topicOf(digest: Buffer): string {
  return `/muster/1/${digest.subarray(0, 16).toString('hex')}/proto`
}
