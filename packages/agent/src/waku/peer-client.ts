/** What our node asks of other nodes: their cluster, whether they hold a message, what they hold, and to take a message. */
import { randomUUID } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { proto_lightpush, proto_store } from '@waku/proto'
import {
  CATCH_UP_BYTES_MAX,
  CATCH_UP_FUTURE_MS,
  CATCH_UP_MESSAGES_MAX,
  REQUEST_HASHES_MAX,
  STORE_ANSWER_BYTES_MAX,
  STORE_KEEP_MS,
  STORE_PAGE_MAX,
} from './limits.ts'
import { type Message, messageOf, timestampMsOf, toNs } from './message.ts'
import { CODEC, PUBSUB_TOPIC } from './network.ts'
import { WakuError } from './ports.ts'
import { ask } from './streams.ts'
import { decodeCluster, decodeLightPushAnswer, decodeStoreAnswer, encodeMetadata, type StoreAnswer } from './wire.ts'

const SMALL_ANSWER_BYTES_MAX = 64 * 1024

/** The cluster that a peer says it is on. Throws a `WakuError`. */
export async function askCluster(connection: Connection, signal: AbortSignal): Promise<number | undefined> {
  const options = { answerBytesMax: SMALL_ANSWER_BYTES_MAX, signal }
  return decodeCluster(await ask(connection, CODEC.metadata, encodeMetadata(), options))
}

/** True when the peer's store says that it holds the message. Throws a `WakuError`. */
export async function askHolds(connection: Connection, hash: string, signal: AbortSignal): Promise<boolean> {
  const answer = await askStore(connection, { messageHashes: [Buffer.from(hash, 'hex')], includeData: false }, signal)
  return answer.messages.some((message) => hexOf(message.messageHash) === hash)
}

/** Hands a message to a peer by light push. Throws a `WakuError`, `refused`, with the peer's code. */
export async function lightPush(connection: Connection, message: Message, signal: AbortSignal): Promise<void> {
  const request = proto_lightpush.LightPushRequestV3.encode({
    requestId: randomUUID(),
    pubsubTopic: PUBSUB_TOPIC,
    message: message.proto,
  })
  const options = { answerBytesMax: SMALL_ANSWER_BYTES_MAX, signal }
  const { statusCode } = decodeLightPushAnswer(await ask(connection, CODEC.lightPush, request, options))
  if (statusCode !== 200) throw new WakuError('refused', `light push answered ${statusCode}`)
}

/**
 * Fetches what a peer's store holds of the last 48 hours and we do not: first the hashes, then the missing messages.
 *
 * A message is named by its own bytes, so a peer cannot pass one off as another. Gives the number taken. Throws a
 * `WakuError` when the peer fails half-way; what came until then is kept.
 */
export async function catchUp(
  connection: Connection,
  deps: {
    readonly has: (hash: string) => boolean
    readonly take: (message: Message) => Promise<void>
    readonly nowUnixMs: number
    readonly signal: AbortSignal
  },
): Promise<number> {
  const missing: string[] = []
  const seen = new Set<string>()
  let cursor: Uint8Array | undefined
  while (seen.size < CATCH_UP_MESSAGES_MAX) {
    const page = await askStore(
      connection,
      {
        includeData: false,
        pubsubTopic: PUBSUB_TOPIC,
        timeStart: toNs(deps.nowUnixMs - STORE_KEEP_MS),
        paginationForward: true,
        paginationLimit: BigInt(STORE_PAGE_MAX),
        ...(cursor === undefined ? {} : { paginationCursor: cursor }),
      },
      deps.signal,
    )
    const fresh = page.messages.map((message) => hexOf(message.messageHash)).filter((hash) => !seen.has(hash))
    for (const hash of fresh) seen.add(hash)
    missing.push(...fresh.filter((hash) => !deps.has(hash)))
    cursor = page.paginationCursor
    if (fresh.length === 0 || cursor === undefined || cursor.byteLength === 0) break
  }

  let taken = 0
  let bytes = 0
  const wanted = new Set(missing)
  while (wanted.size > 0 && bytes < CATCH_UP_BYTES_MAX) {
    const batch = [...wanted].slice(0, REQUEST_HASHES_MAX)
    const page = await askStore(
      connection,
      {
        includeData: true,
        messageHashes: batch.map((hash) => Buffer.from(hash, 'hex')),
        paginationForward: true,
        paginationLimit: BigInt(STORE_PAGE_MAX),
      },
      deps.signal,
    )
    const before = wanted.size
    for (const { message: proto } of page.messages) {
      if (proto === undefined) continue
      const message = messageOf(proto)
      bytes += message.bytes.byteLength
      if (!wanted.delete(message.hash)) continue
      if (message.ephemeral || timestampMsOf(message) > deps.nowUnixMs + CATCH_UP_FUTURE_MS) continue
      await deps.take(message)
      taken += 1
    }
    // A page cut short by its size leaves some for the next; a page without news means that the peer dropped them.
    if (wanted.size === before) for (const hash of batch) wanted.delete(hash)
  }
  return taken
}

type StoreFields = Parameters<typeof proto_store.StoreQueryRequest.encode>[0]

async function askStore(connection: Connection, fields: StoreFields, signal: AbortSignal): Promise<StoreAnswer> {
  const request = proto_store.StoreQueryRequest.encode({
    requestId: randomUUID(),
    contentTopics: [],
    messageHashes: [],
    ...fields,
  })
  const answer = decodeStoreAnswer(
    await ask(connection, CODEC.store, request, { answerBytesMax: STORE_ANSWER_BYTES_MAX, signal }),
  )
  if (answer.statusCode !== 200) throw new WakuError('refused', `the store answered ${answer.statusCode ?? 'nothing'}`)
  return answer
}

function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
