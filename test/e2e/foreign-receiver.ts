/**
 * A receiver that somebody else wrote: the stock `@waku/sdk`, and what `docs/waku.md` says. It shares no code with Muster.
 *
 * Takes the addresses of nodes and reads its private key (hex) from the environment; prints `{"ready": true}` once it is
 * subscribed at each, then one line of JSON for each notice that it could open, with the node that pushed it and the
 * hash of the Waku message: a message that came from two nodes is the same message.
 */
import { createECDH, createHash } from 'node:crypto'
import { decode } from '@ipld/dag-cbor'
import { createDecoder } from '@waku/message-encryption/ecies'
import { createLightNode, Protocols, utils } from '@waku/sdk'

const CLUSTER = 4650
const SHARD = 0
const WEEK_S = 604_800

const nodes = process.argv.slice(2)
const privateKey = Buffer.from(process.env.RECEIVER_KEY ?? '', 'hex')

/** The content topic of a purpose in a period. */
function topicOf(purpose: string, publicKey: Uint8Array, period: number): string {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(period)
  const hash = createHash('sha256')
    .update(Buffer.concat([Buffer.from(`muster ${purpose}`), number, publicKey]))
    .digest('hex')
  return `/muster/1/${hash.slice(0, 32)}/proto`
}

/** The content of a frame; null when it is not for us. */
function contentOf(frame: Uint8Array): Uint8Array | null {
  if (frame[0] !== 1) return null
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(1)
  return frame.subarray(5, 5 + length)
}

/** The public key of the private one: 65 bytes. */
function publicKeyOf(secret: Uint8Array): Uint8Array {
  const ecdh = createECDH('secp256k1')
  ecdh.setPrivateKey(secret)
  return ecdh.getPublicKey()
}

const publicKey = publicKeyOf(privateKey)
const period = Math.floor(Date.now() / 1_000 / WEEK_S)
const routingInfo = utils.createRoutingInfo({ clusterId: CLUSTER }, { shardId: SHARD })
const decoders = [period - 1, period, period + 1].map((each) =>
  createDecoder(topicOf('notice', publicKey, each), routingInfo, privateKey),
)

/** Listens at one node, with a client of its own. */
async function listenAt(node: string): Promise<void> {
  const client = await createLightNode({
    networkConfig: { clusterId: CLUSTER },
    defaultBootstrap: false,
    numPeersToUse: 1,
    lightPush: { autoRetry: false },
    libp2p: { filterMultiaddrs: false },
  })
  // A subscription made before the client knows what the node offers finds no peer.
  const identified = new Promise<void>((resolve) => {
    client.libp2p.addEventListener('peer:identify', () => resolve(), { once: true })
  })
  await client.dial(node)
  await identified
  await client.waitForPeers([Protocols.Filter])
  const isSubscribed = await client.filter.subscribe(decoders, ({ payload, hashStr }) => {
    const content = contentOf(payload)
    if (content === null) return
    const { c: certificate, n: envelope } = decode<{ c: Uint8Array; n?: Uint8Array }>(content)
    // The news of where the mesh can be reached has no notice in it.
    if (envelope === undefined) return
    const { b: notice } = decode<{ b: unknown }>(envelope)
    process.stdout.write(`${JSON.stringify({ certificateBytes: certificate.length, hash: hashStr, node, notice })}\n`)
  })
  if (!isSubscribed) throw new Error(`${node} did not take the subscription`)
}

await Promise.all(nodes.map(listenAt))
process.stdout.write('{"ready": true}\n')
