/**
 * Pairing, after the link has reached the device by a screen or a person.
 *
 * The device sends `hello` with its public key, sealed with a key from the link's secret and signed with its own: that
 * proves both that it holds the link and that it holds the key. The mesh takes the first valid one, writes it down, and
 * answers `welcome`, sealed to that key. Both name the pairing by a hash of the secret, so that neither can be moved to
 * another pairing.
 *
 * This is the mesh's side. The device's is a file of its own, because it stands on the stock Waku client, and an agent
 * that only waits for an answer must not load that.
 */
import { encodeCanonical } from '@muster/protocol'
import type { WakuNode } from './node.ts'
import type { PairingLink } from './pairing-link.ts'
import { linkExpired, PAIRING_VERSION, pairingId, readHello } from './pairing-messages.ts'
import { reasonOf, sleep, type WakuClock, type WakuLog } from './ports.ts'
import { seal } from './seal.ts'
import { pairingTopic } from './topics.ts'

/** A device that answered a link. */
export interface PairedDevice {
  /** 65 bytes, uncompressed secp256k1. */
  readonly publicKey: Uint8Array
  /** What the device calls itself: printable, at most 64 characters, possibly empty. Chosen by a stranger. */
  readonly name: string
  /** Tells the device that it is paired, with bytes for it; call it when the recipient is written down. True when somebody took it. */
  acknowledge(welcome: Uint8Array, signal: AbortSignal): Promise<boolean>
}

/** Pause between two tries to hand over a message, in milliseconds. */
const RETRY_MS = 500

/**
 * Waits on the mesh's side for the first device that answers the link. A link serves once: a second device that answers
 * is not heard. Start it before the link is shown.
 *
 * Throws a `WakuError`, `link-expired`, or the signal's reason.
 */
export async function awaitPairing(options: {
  readonly node: Pick<WakuNode, 'subscribe' | 'publish'>
  readonly link: PairingLink
  /** The mesh's secp256k1 key, which signs notices too: 32 bytes. */
  readonly signingKey: Uint8Array
  readonly clock: WakuClock
  readonly log: WakuLog
  readonly signal: AbortSignal
}): Promise<PairedDevice> {
  const { node, link, clock, log } = options
  const lifeMs = link.expiresUnixMs - clock.unixMs()
  if (lifeMs <= 0) throw linkExpired()
  const found = Promise.withResolvers<{ publicKey: Uint8Array; name: string }>()
  const over = AbortSignal.any([options.signal, AbortSignal.timeout(Math.min(lifeMs, 2 ** 31 - 1))])
  const fail = (): void => found.reject(options.signal.aborted ? options.signal.reason : linkExpired())
  over.addEventListener('abort', fail, { once: true })
  if (over.aborted) fail()
  const unsubscribe = node.subscribe([pairingTopic('hello', link.secret)], (message) => {
    readHello(message.payload, link.secret).then(found.resolve, (cause: unknown) =>
      log.info('refused an answer to a pairing link', { reason: reasonOf(cause) }),
    )
  })
  try {
    const { publicKey, name } = await found.promise
    return {
      publicKey,
      name,
      acknowledge: (body, signal) =>
        sendWelcome({ node, link, publicKey, body, signingKey: options.signingKey, clock, signal }),
    }
  } finally {
    unsubscribe()
    over.removeEventListener('abort', fail)
  }
}

async function sendWelcome(options: {
  readonly node: Pick<WakuNode, 'publish'>
  readonly link: PairingLink
  readonly publicKey: Uint8Array
  readonly body: Uint8Array
  readonly signingKey: Uint8Array
  readonly clock: WakuClock
  readonly signal: AbortSignal
}): Promise<boolean> {
  const { node, link, publicKey, body, signingKey, clock, signal } = options
  const content = encodeCanonical({ v: PAIRING_VERSION, id: pairingId(link.secret), body })
  const payload = await seal({ content, recipientPublicKey: publicKey, signingKey })
  const message = { contentTopic: pairingTopic('welcome', link.secret), payload, timestampMs: clock.unixMs() }
  while (!signal.aborted) {
    const outcome = await node.publish(message, signal)
    if (outcome.accepted) return true
    await sleep(RETRY_MS, signal).catch(() => undefined)
  }
  return false
}
