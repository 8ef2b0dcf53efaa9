/**
 * Pairing, after the link has reached the device by a screen or a person.
 *
 * The device sends `hello` with its public key, sealed with a key from the link's secret and signed with its own: that
 * proves both that it holds the link and that it holds the key. The mesh takes the first valid one, writes it down, and
 * answers `welcome`, sealed to that key. Both name the pairing by a hash of the secret, so that neither can be moved to
 * another pairing.
 */
import { createHash, hkdfSync } from 'node:crypto'
import { decodeCanonical, encodeCanonical, equalBytes } from '@muster/protocol'
import { z } from 'zod'
import { CONTENT_BYTES_MAX } from './framing.ts'
import type { ReceivedMessage } from './listeners.ts'
import type { WakuNode } from './node.ts'
import type { PairingLink } from './pairing-link.ts'
import { reasonOf, sleep, type WakuClock, WakuError, type WakuLog } from './ports.ts'
import { createReceiver } from './receiver.ts'
import { openWithSecret, publicKeyOf, seal, sealWithSecret } from './seal.ts'
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

const VERSION = 1
const HELLO_BYTES_MAX = 1024
const NAME_LENGTH_MAX = 64
/** Pause between two tries to hand over a message, in milliseconds. */
const RETRY_MS = 500
/** How long the device stays after the welcome, in milliseconds: the node asks it whether the push arrived. */
const LINGER_MS = 500

const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === length)
const hello = z.strictObject({
  v: z.literal(VERSION),
  id: bytesOf(32),
  key: bytesOf(65),
  name: z.string().max(NAME_LENGTH_MAX),
})
const welcome = z.strictObject({
  v: z.literal(VERSION),
  id: bytesOf(32),
  body: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
})

/** The key that seals `hello`: HKDF-SHA-256(secret, info "muster pairing key"), 32 bytes. */
export function pairingKey(secret: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'muster pairing key', 32))
}

/** The name of a pairing, inside the seals: sha256("muster pairing id" ‖ secret). */
export function pairingId(secret: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('muster pairing id').update(secret).digest())
}

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
  if (lifeMs <= 0) throw expired()
  const found = Promise.withResolvers<{ publicKey: Uint8Array; name: string }>()
  const over = AbortSignal.any([options.signal, AbortSignal.timeout(Math.min(lifeMs, 2 ** 31 - 1))])
  const fail = (): void => found.reject(options.signal.aborted ? options.signal.reason : expired())
  over.addEventListener('abort', fail, { once: true })
  if (over.aborted) fail()
  const unsubscribe = node.subscribe([pairingTopic('hello', link.secret)], (message) => {
    readHello(message, link.secret).then(found.resolve, (cause: unknown) =>
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

async function readHello(
  message: ReceivedMessage,
  secret: Uint8Array,
): Promise<{ publicKey: Uint8Array; name: string }> {
  const { content, signerPublicKey } = await openWithSecret(message.payload, pairingKey(secret))
  const { id, key, name } = hello.parse(decodeCanonical(content, HELLO_BYTES_MAX))
  const isProven =
    signerPublicKey !== undefined && equalBytes(signerPublicKey, key) && equalBytes(id, pairingId(secret))
  if (!isProven) throw new WakuError('pairing-refused', 'the device did not prove its key')
  return { publicKey: key, name: name.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').trim() }
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
  const content = encodeCanonical({ v: VERSION, id: pairingId(link.secret), body })
  const payload = await seal({ content, recipientPublicKey: publicKey, signingKey })
  const message = { contentTopic: pairingTopic('welcome', link.secret), payload, timestampMs: clock.unixMs() }
  while (!signal.aborted) {
    const outcome = await node.publish(message, signal)
    if (outcome.accepted) return true
    await sleep(RETRY_MS, signal).catch(() => undefined)
  }
  return false
}

/**
 * Answers a link on the device's side; gives the mesh's welcome.
 *
 * `isGenuine` looks at the welcome's bytes (a signature of the mesh whose public key is in the link); others are passed
 * over. Throws a `WakuError`, `link-expired` or `unreachable`, or the signal's reason.
 */
export async function answerPairing(options: {
  readonly link: PairingLink
  /** The device's secp256k1 key, 32 bytes. */
  readonly privateKey: Uint8Array
  /** What the device calls itself. */
  readonly name: string
  readonly isGenuine: (welcome: Uint8Array) => boolean
  readonly clock: WakuClock
  readonly log: WakuLog
  readonly signal: AbortSignal
}): Promise<{ readonly welcome: Uint8Array; readonly signerPublicKey: Uint8Array }> {
  const { link, privateKey, clock, log } = options
  const lifeMs = link.expiresUnixMs - clock.unixMs()
  if (lifeMs <= 0) throw expired()
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(Math.min(lifeMs, 2 ** 31 - 1))])
  const answered = Promise.withResolvers<{ welcome: Uint8Array; signerPublicKey: Uint8Array }>()
  const fail = (): void => answered.reject(options.signal.aborted ? options.signal.reason : expired())
  signal.addEventListener('abort', fail, { once: true })
  if (signal.aborted) fail()

  const receiver = createReceiver(
    {
      privateKey,
      nodes: link.nodes,
      contentTopics: () => [pairingTopic('welcome', link.secret)],
      onPayload: ({ payload, signaturePublicKey }) => {
        const body = readWelcome(payload, link.secret)
        if (body === undefined || signaturePublicKey === undefined || !options.isGenuine(body)) {
          log.info('passed over a welcome that is not the mesh’s', {})
        } else answered.resolve({ welcome: body, signerPublicKey: signaturePublicKey })
      },
    },
    { clock, log },
  )
  try {
    const content = encodeCanonical({
      v: VERSION,
      id: pairingId(link.secret),
      key: publicKeyOf(privateKey),
      name: options.name.slice(0, NAME_LENGTH_MAX),
    })
    const payload = await sealWithSecret({ content, secret: pairingKey(link.secret), signingKey: privateKey })
    const reply = { contentTopic: pairingTopic('hello', link.secret), payload, timestampMs: clock.unixMs() }
    const sending = receiver.sendReply(reply, signal)
    const [result] = await Promise.all([answered.promise, sending])
    await sleep(LINGER_MS, signal).catch(() => undefined)
    return result
  } finally {
    signal.removeEventListener('abort', fail)
    await receiver.stop()
  }
}

function readWelcome(content: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  try {
    const { id, body } = welcome.parse(decodeCanonical(content, CONTENT_BYTES_MAX))
    return equalBytes(id, pairingId(secret)) ? body : undefined
  } catch {
    return undefined
  }
}

function expired(): WakuError {
  return new WakuError('link-expired', 'the pairing link has expired')
}
