/**
 * The road to the recipients: a notice is encoded and sealed once, put into the outbox, and handed to Waku when the
 * core says so; the answers of devices come back as events.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  decodeCanonical,
  type Effect,
  encodeCanonical,
  hashOf,
  type IncidentId,
  type Notice,
  type RecipientId,
  recipientIdOf,
  recipientsOf,
  type State,
  type Transition,
} from '@muster/protocol'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Sign } from '../identity/signer.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Loop } from '../loop.ts'
import { decodeAnswer } from '../notices/answer.ts'
import { encodeTold } from '../notices/told.ts'
import type { Store } from '../storage/index.ts'
import type { WakuNode } from '../waku/node.ts'
import { open, parsePublicKey, seal, type WakuKeyPair } from '../waku/seal.ts'
import { currentTopic, topicsAround } from '../waku/topics.ts'

type SendNotice = Extract<Effect, { kind: 'send-notice' }>

/** A notice as it travels. The same notice is sealed once: a resend is the same message, and a store keeps one copy. */
interface Row {
  readonly contentTopic: string
  readonly payload: Uint8Array
  readonly timestampMs: number
}

const rowSchema = z.strictObject({
  contentTopic: z.string(),
  payload: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  timestampMs: z.number(),
})

/** Sealed and waiting for the core's last word. */
interface Waiting {
  readonly key: string
  readonly row: Row
  readonly timeoutMs: number
}

/** Rows of the outbox older than the history are of no use to anybody. Milliseconds. */
export const OUTBOX_MS = 48 * 60 * 60_000
const ROW_BYTES_MAX = 256 * 1024

/**
 * The attempts of this host at telling, by the number that the core gave each, from sealing to `depart` or `abandon`.
 * How an attempt ended goes back to the core as an event, and neither rejects because Waku is down.
 */
export interface Telling {
  /** Seals a notice and asks the core whether it may leave. */
  prepare(effect: SendNotice): Promise<void>
  /** Hands the sealed bytes of an attempt over. */
  depart(attempt: number): Promise<void>
  abandon(attempt: number): void
  /** Listens on the answer topics of the recipients in force, and keeps their messages first. Called when they change. */
  followRecipients(state: State): void
  stop(): void
}

/**
 * What telling needs: keys to seal and sign with, the store that holds the outbox, and the Waku node, which is null
 * while there is none. `certificate` is the envelope of this host's own, sent along so that a device can verify who
 * tells.
 */
export interface TellingDeps {
  readonly waku: () => WakuNode | null
  readonly meshWakuKey: WakuKeyPair
  readonly sign: Sign
  readonly certificate: Uint8Array
  /** Waku addresses of the mesh, for the devices. */
  readonly nodes: () => readonly string[]
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly loop: () => Loop
  readonly signal: AbortSignal
}

/** How long a notice waits to be in the outbox before it leaves, milliseconds. */
const OUTBOX_WAIT_MS = 500

/** Makes the road of one agent. */
export function createTelling(deps: TellingDeps): Telling {
  const { waku, meshWakuKey, sign, certificate, store, clock, log, loop, signal } = deps
  const waiting = new Map<number, Waiting>()
  const outbox = store.family('outbox')
  let following = ''
  let unfollow: () => void = () => undefined

  async function prepare({ attempt, recipient, notice, timeoutMs }: SendNotice): Promise<void> {
    const publicKey = publicKeyOf(loop().state(), recipient)
    if (publicKey === null) {
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      return
    }
    const key = keyOf(notice.transition, idsOf(notice), recipient)
    try {
      waiting.set(attempt, { key, timeoutMs, row: (await kept(key)) ?? (await sealNotice(key, notice, publicKey)) })
      loop().dispatch({ kind: 'departing', attempt })
    } catch (error) {
      log.warn('a notice could not be sealed', { reason: reasonOf(error) })
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
    }
  }

  async function sealNotice(key: string, notice: Notice, publicKey: Uint8Array): Promise<Row> {
    const content = encodeTold(notice, sign, certificate, deps.nodes())
    const payload = await seal({ content, recipientPublicKey: publicKey, signingKey: meshWakuKey.privateKey })
    const timestampMs = Math.round(clock.unixMs())
    const row = { contentTopic: currentTopic('notice', parsePublicKey(publicKey), timestampMs), payload, timestampMs }
    // A disk that fails does not keep a notice from leaving.
    const put = outbox.put(key, encodeCanonical(row), { sync: true }).catch((error: unknown) => {
      log.debug('the outbox did not take a notice', { reason: reasonOf(error) })
    })
    // Neither does one that is slow: a claim that is not under way in time is worth nothing.
    await Promise.race([put, wait(OUTBOX_WAIT_MS, undefined, { ref: false })])
    return row
  }

  async function kept(key: string): Promise<Row | null> {
    const bytes = await outbox.get(key).catch(() => undefined)
    if (bytes === undefined) return null
    const row = readRow(bytes)
    return row !== null && clock.unixMs() - row.timestampMs < OUTBOX_MS ? row : null
  }

  async function depart(attempt: number): Promise<void> {
    const notice = waiting.get(attempt)
    waiting.delete(attempt)
    const node = waku()
    if (notice === undefined || node === null) {
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      return
    }
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(notice.timeoutMs)])
      const outcome = await node.publish(notice.row, limit)
      if (!outcome.accepted) {
        loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      } else if (outcome.stored === 0) {
        loop().dispatch({ kind: 'sent', attempt, outcome: 'accepted' })
      } else {
        loop().dispatch({ kind: 'sent', attempt, outcome: 'stored' })
        await outbox.del(notice.key, { sync: false }).catch(() => undefined)
      }
    } catch (error) {
      log.debug('publishing failed', { reason: reasonOf(error) })
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
    }
  }

  async function hearAnswer(publicKey: Uint8Array, payload: Uint8Array): Promise<void> {
    try {
      const { content, signerPublicKey } = await open(payload, meshWakuKey.privateKey)
      if (signerPublicKey === undefined || Buffer.compare(signerPublicKey, publicKey) !== 0) return
      const { incidents, transition } = decodeAnswer(content)
      const recipient = recipientIdOfKey(loop().state(), publicKey)
      if (recipient === null) return
      loop().dispatch({ kind: 'delivered', incidents, transition, recipient })
      await outbox.del(keyOf(transition, incidents, recipient), { sync: false })
    } catch (error) {
      log.debug('passed over what is no answer of a device', { reason: reasonOf(error) })
    }
  }

  return {
    prepare,
    depart,
    abandon(attempt) {
      waiting.delete(attempt)
    },
    followRecipients(state) {
      const node = waku()
      if (node === null) return
      const keys = recipientsOf(state).map(({ publicKey }) => parsePublicKey(publicKey))
      const now = clock.unixMs()
      const own = keys.flatMap((key) => [...topicsAround('notice', key, now), ...topicsAround('answer', key, now)])
      const wanted = hashOf(own)
      if (wanted === following) return
      following = wanted
      unfollow()
      node.setOwnTopics(own)
      const ends = keys.map((key) =>
        node.subscribe(topicsAround('answer', key, now), ({ payload }) => void hearAnswer(key, payload)),
      )
      unfollow = () => {
        for (const end of ends) end()
      }
    },
    stop() {
      following = ''
      unfollow()
    },
  }
}

function publicKeyOf(state: State, recipient: RecipientId): Uint8Array | null {
  return recipientsOf(state).find(({ id }) => id === recipient)?.publicKey ?? null
}

function recipientIdOfKey(state: State, publicKey: Uint8Array): RecipientId | null {
  const found = recipientsOf(state).find(
    (recipient) => Buffer.compare(parsePublicKey(recipient.publicKey), publicKey) === 0,
  )
  return found === undefined ? null : recipientIdOf(found.publicKey)
}

/** A row of the outbox as it is kept; null for what is none. */
export function readRow(bytes: Uint8Array): Row | null {
  try {
    const row = rowSchema.safeParse(decodeCanonical(bytes, ROW_BYTES_MAX))
    return row.success ? row.data : null
  } catch {
    return null
  }
}

function idsOf({ incidents }: Notice): readonly IncidentId[] {
  return incidents.map(({ id }) => id)
}

/** The same for every attempt of this host at the same news to the same recipient. */
function keyOf(transition: Transition, incidents: readonly IncidentId[], recipient: RecipientId): string {
  return hashOf([transition, recipient, [...incidents].sort()])
}
