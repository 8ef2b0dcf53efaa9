/**
 * The road to the recipients: a notice is encoded and sealed once, put into the outbox, and handed to Waku when the
 * core says so; the answers of devices come back as events.
 */
import {
  encodeCanonical,
  type Effect,
  hashOf,
  type RecipientId,
  recipientIdOf,
  recipientsOf,
  type State,
} from '@muster/protocol'
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

/** Sealed and waiting for the core's last word. */
interface Sealed {
  readonly contentTopic: string
  readonly payload: Uint8Array
  readonly timestampMs: number
  readonly timeoutMs: number
}

export interface Telling {
  /** Seals a notice and asks the core whether it may leave. */
  prepare(effect: SendNotice): Promise<void>
  /** Hands the sealed bytes of an attempt over. */
  depart(attempt: number): Promise<void>
  abandon(attempt: number): Promise<void>
  /** Listens on the answer topics of the recipients in force, and keeps their messages first. Called when they change. */
  followRecipients(state: State): void
  stop(): void
}

export interface TellingDeps {
  readonly waku: () => WakuNode | null
  readonly meshWakuKey: WakuKeyPair
  readonly sign: Sign
  readonly certificate: Uint8Array
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly loop: () => Loop
  readonly signal: AbortSignal
}

/** Makes the road of one agent. */
export function createTelling(deps: TellingDeps): Telling {
  const { waku, meshWakuKey, sign, certificate, store, clock, log, loop, signal } = deps
  const sealed = new Map<number, Sealed>()
  const outbox = store.family('outbox')
  let following = ''
  let unfollow: () => void = () => undefined

  async function prepare({ attempt, recipient, notice, timeoutMs }: SendNotice): Promise<void> {
    const publicKey = publicKeyOf(loop().state(), recipient)
    if (publicKey === null) {
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      return
    }
    const content = encodeTold(notice, sign, certificate)
    const payload = await seal({ content, recipientPublicKey: publicKey, signingKey: meshWakuKey.privateKey })
    const timestampMs = Math.round(clock.unixMs())
    const contentTopic = currentTopic('notice', parsePublicKey(publicKey), timestampMs)
    sealed.set(attempt, { contentTopic, payload, timestampMs, timeoutMs })
    await keep(attempt, { contentTopic, payload, timestampMs })
    loop().dispatch({ kind: 'departing', attempt })
  }

  /** A disk that fails does not keep a notice from leaving. */
  async function keep(attempt: number, row: Omit<Sealed, 'timeoutMs'>): Promise<void> {
    try {
      await outbox.put(String(attempt), encodeCanonical(row), { sync: true })
    } catch (error) {
      log.debug('the outbox did not take a notice', { reason: reasonOf(error) })
    }
  }

  async function forget(attempt: number): Promise<void> {
    sealed.delete(attempt)
    await outbox.del(String(attempt), { sync: false }).catch(() => undefined)
  }

  async function depart(attempt: number): Promise<void> {
    const bytes = sealed.get(attempt)
    const node = waku()
    if (bytes === undefined || node === null) {
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      return
    }
    const { timeoutMs, ...message } = bytes
    try {
      const outcome = await node.publish(message, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
      if (outcome.accepted) {
        loop().dispatch({ kind: 'sent', attempt, outcome: 'accepted' })
        if (outcome.stored > 0) loop().dispatch({ kind: 'sent', attempt, outcome: 'stored' })
      } else {
        loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
      }
    } catch (error) {
      log.debug('publishing failed', { reason: reasonOf(error) })
      loop().dispatch({ kind: 'sent', attempt, outcome: 'refused' })
    }
    await forget(attempt)
  }

  async function hearAnswer(publicKey: Uint8Array, payload: Uint8Array): Promise<void> {
    try {
      const { content, signerPublicKey } = await open(payload, meshWakuKey.privateKey)
      if (signerPublicKey === undefined || Buffer.compare(signerPublicKey, publicKey) !== 0) return
      const { incidents, transition } = decodeAnswer(content)
      const recipient = recipientIdOfKey(loop().state(), publicKey)
      if (recipient !== null) loop().dispatch({ kind: 'delivered', incidents, transition, recipient })
    } catch (error) {
      log.debug('passed over what is no answer of a device', { reason: reasonOf(error) })
    }
  }

  return {
    prepare,
    depart,
    abandon: forget,
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
  const found = recipientsOf(state).find((recipient) => Buffer.compare(parsePublicKey(recipient.publicKey), publicKey) === 0)
  return found === undefined ? null : recipientIdOf(found.publicKey)
}
