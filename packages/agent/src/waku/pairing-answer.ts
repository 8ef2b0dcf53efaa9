/** Pairing on the device's side: what `pairing.ts` waits for. */
import { encodeCanonical } from '@muster/protocol'
import { untilLinkUsed } from './link-use.ts'
import type { PairingLink } from './pairing-link.ts'
import {
  DEVICE_NAME_LENGTH_MAX,
  linkExpired,
  PAIRING_VERSION,
  pairingId,
  pairingKey,
  readWelcome,
} from './pairing-messages.ts'
import { sleep, type WakuClock, WakuError, type WakuLog } from './ports.ts'
import { createReceiver } from './receiver.ts'
import { publicKeyOf, sealWithSecret } from './seal.ts'
import { pairingTopic } from './topics.ts'

/** How long the device stays after the welcome, in milliseconds: the node asks it whether the push arrived. */
const LINGER_MS = 500

/**
 * Answers a link on the device's side; gives the mesh's welcome.
 *
 * `isGenuine` looks at the welcome's bytes (a signature of the mesh whose public key is in the link); others are passed
 * over. Throws a `WakuError`, `link-expired` or `link-used`, or the signal's reason.
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
  if (lifeMs <= 0) throw linkExpired()
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(Math.min(lifeMs, 2 ** 31 - 1))])
  const answered = Promise.withResolvers<{ welcome: Uint8Array; signerPublicKey: Uint8Array }>()
  const fail = (): void => answered.reject(options.signal.aborted ? options.signal.reason : linkExpired())
  signal.addEventListener('abort', fail, { once: true })
  if (signal.aborted) fail()

  const isOurs = (content: Uint8Array): boolean => {
    const body = readWelcome(content, link.secret)
    return body !== undefined && options.isGenuine(body)
  }
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
  const over = new AbortController()
  let watching: Promise<void> = Promise.resolve()
  try {
    const content = encodeCanonical({
      v: PAIRING_VERSION,
      id: pairingId(link.secret),
      key: publicKeyOf(privateKey),
      name: options.name.slice(0, DEVICE_NAME_LENGTH_MAX),
    })
    const payload = await sealWithSecret({ content, secret: pairingKey(link.secret), signingKey: privateKey })
    const reply = { contentTopic: pairingTopic('hello', link.secret), payload, timestampMs: clock.unixMs() }
    const sending = receiver.sendReply(reply, signal)
    // Not before a node has our answer: from then on the mesh's to it may be there.
    watching = sending.then(async () => {
      const ending = AbortSignal.any([signal, over.signal])
      const isUsed = await untilLinkUsed(receiver, { secret: link.secret, privateKey, isOurs, log, signal: ending })
      if (isUsed) answered.reject(new WakuError('link-used', 'this link was used already, by another device'))
    })
    const [result] = await Promise.all([answered.promise, sending])
    await sleep(LINGER_MS, signal).catch(() => undefined)
    return result
  } finally {
    signal.removeEventListener('abort', fail)
    over.abort(new Error('the pairing has ended'))
    await receiver.stop()
    await watching
  }
}
