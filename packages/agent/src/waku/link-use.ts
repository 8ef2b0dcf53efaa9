/**
 * Whether a pairing link was used by another device, as the device that holds it can tell by itself.
 *
 * The mesh answers nobody twice, so nothing is asked of it. A pairing leaves two messages in the stores of the Waku nodes:
 * a hello of the device and a welcome for it, on topics that only the link's secret gives. A hello opens to whoever holds
 * the link; a welcome does not, and so proves nothing alone: who serves a node sees its topics, and could put anything
 * there. A hello alone proves as little, for perhaps nobody heard it. Both together mean that the mesh has taken another.
 */
import { equalBytes } from '@muster/protocol'
import { readHello } from './pairing-messages.ts'
import { reasonOf, sleep, type WakuLog } from './ports.ts'
import type { Receiver } from './receiver.ts'
import { open, publicKeyOf } from './seal.ts'
import { pairingTopic } from './topics.ts'

/** Pause between two looks, in milliseconds: the mesh's welcome may come after the first. */
const LOOK_EVERY_MS = 2_000

/** Who looks, and for what. */
export interface LinkWatch {
  /** The link's. */
  readonly secret: Uint8Array
  /** This device's. */
  readonly privateKey: Uint8Array
  /** Whether the content of a seal that opens is the mesh's welcome for this device. */
  readonly isOurs: (content: Uint8Array) => boolean
  readonly log: WakuLog
  readonly signal: AbortSignal
}

/** Looks into the node's store until it shows that another device has used the link; false when the signal ends it. */
export async function untilLinkUsed(receiver: Pick<Receiver, 'held'>, watch: LinkWatch): Promise<boolean> {
  const { log, signal } = watch
  while (!signal.aborted) {
    try {
      if (await isUsed(receiver, watch)) return true
      log.debug('nobody has used the link before us', {})
    } catch (cause) {
      log.debug('a look whether the link was used failed', { reason: reasonOf(cause) })
    }
    await sleep(LOOK_EVERY_MS, signal).catch(() => undefined)
  }
  return false
}

async function isUsed(receiver: Pick<Receiver, 'held'>, watch: LinkWatch): Promise<boolean> {
  const { secret, privateKey, isOurs, signal } = watch
  const welcomes = await receiver.held(pairingTopic('welcome', secret), signal)
  if (welcomes.length === 0) return false
  for (const welcome of welcomes) {
    const opened = await open(welcome, privateKey).catch(() => undefined)
    if (opened !== undefined && isOurs(opened.content)) return false
  }
  const own = publicKeyOf(privateKey)
  for (const hello of await receiver.held(pairingTopic('hello', secret), signal)) {
    const said = await readHello(hello, secret).catch(() => undefined)
    if (said !== undefined && !equalBytes(said.publicKey, own)) return true
  }
  return false
}
