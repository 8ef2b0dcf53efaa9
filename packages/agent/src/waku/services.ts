/** Light push v3, store v3 and metadata, the service side: one request, one answer each. */
import { proto_lightpush, proto_store } from '@waku/proto'
import { CONTENT_TOPIC_LENGTH_MAX, STORE_PAGE_BYTES_MAX, STORE_PAGE_DEFAULT, STORE_PAGE_MAX } from './limits.ts'
import { type Message, messageOf, toNs } from './message.ts'
import type { MessageStore, StoreQuery } from './message-store.ts'
import { PUBSUB_TOPIC } from './network.ts'
import { reasonOf, type WakuClock, WakuError, type WakuLog } from './ports.ts'
import { decodeLightPushRequest, decodeStoreRequest, type StoreRequest } from './wire.ts'

/**
 * Answers a light push request: takes the message and says how many peers it was relayed to.
 *
 * The codes are those of 19/WAKU2-LIGHTPUSH: 200 taken, 400 malformed, 413 too large, 421 not our pubsub topic, 500 our fault.
 * "Taken" means kept here (or passed on, if ephemeral), even when no other node is in reach.
 */
export async function answerLightPush(
  bytes: Uint8Array,
  deps: {
    readonly take: (message: Message) => Promise<{ readonly relayed: number }>
    readonly clock: WakuClock
    readonly log: WakuLog
  },
): Promise<Uint8Array> {
  let requestId = 'N/A'
  const answer = (statusCode: number, statusDesc: string, relayPeerCount?: number): Uint8Array =>
    proto_lightpush.LightPushResponseV3.encode({
      requestId,
      statusCode,
      statusDesc,
      ...(relayPeerCount === undefined ? {} : { relayPeerCount }),
    })
  let message: Message
  try {
    const request = decodeLightPushRequest(bytes)
    requestId = request.requestId
    if (request.pubsubTopic !== undefined && request.pubsubTopic !== PUBSUB_TOPIC) {
      return answer(421, 'not a pubsub topic of this node')
    }
    if (request.message === undefined) return answer(400, 'no message')
    message = messageOf({ ...request.message, timestamp: request.message.timestamp ?? toNs(deps.clock.unixMs()) })
  } catch (cause) {
    const isSize = cause instanceof WakuError && cause.code === 'too-large'
    return isSize ? answer(413, 'the message is too large') : answer(400, 'malformed request')
  }
  try {
    const { relayed } = await deps.take(message)
    return answer(200, 'OK', relayed)
  } catch (cause) {
    deps.log.warn('a pushed message could not be taken', { reason: reasonOf(cause) })
    return answer(500, 'the message could not be taken')
  }
}

/** A light push answer that says "slow down". */
export function refuseLightPush(): Uint8Array {
  return proto_lightpush.LightPushResponseV3.encode({
    requestId: 'N/A',
    statusCode: 429,
    statusDesc: 'too many requests',
  })
}

/** Answers a store query with one page: 200, 400 malformed or a cursor that names nothing, 500 our fault. */
export async function answerStore(
  bytes: Uint8Array,
  deps: { readonly store: MessageStore; readonly log: WakuLog },
): Promise<Uint8Array> {
  let requestId = 'N/A'
  const refuse = (statusCode: number, statusDesc: string): Uint8Array =>
    proto_store.StoreQueryResponse.encode({ requestId, statusCode, statusDesc, messages: [] })
  let request: StoreRequest
  try {
    request = decodeStoreRequest(bytes)
  } catch {
    return refuse(400, 'malformed request')
  }
  requestId = request.requestId
  if (request.contentTopics.some((topic) => topic.length > CONTENT_TOPIC_LENGTH_MAX)) {
    return refuse(400, 'a content topic is too long')
  }
  const isOther =
    request.pubsubTopic !== undefined && request.pubsubTopic !== '' && request.pubsubTopic !== PUBSUB_TOPIC
  if (isOther)
    return proto_store.StoreQueryResponse.encode({ requestId, statusCode: 200, statusDesc: 'OK', messages: [] })
  try {
    const page = await deps.store.query(queryOf(request))
    if (page === undefined) return refuse(400, 'the cursor names no message of this node')
    return proto_store.StoreQueryResponse.encode({
      requestId,
      statusCode: 200,
      statusDesc: 'OK',
      messages: page.messages.map(({ hash, message }) =>
        message === undefined
          ? { messageHash: Buffer.from(hash, 'hex') }
          : { messageHash: Buffer.from(hash, 'hex'), message: message.proto, pubsubTopic: PUBSUB_TOPIC },
      ),
      ...(page.cursor === undefined ? {} : { paginationCursor: Buffer.from(page.cursor, 'hex') }),
    })
  } catch (cause) {
    deps.log.warn('a store query failed', { reason: reasonOf(cause) })
    return refuse(500, 'the query failed')
  }
}

/** A store answer that says "slow down". */
export function refuseStore(): Uint8Array {
  return proto_store.StoreQueryResponse.encode({
    requestId: 'N/A',
    statusCode: 429,
    statusDesc: 'too many requests',
    messages: [],
  })
}

function queryOf(request: StoreRequest): StoreQuery {
  const asked = request.paginationLimit === undefined ? STORE_PAGE_DEFAULT : Number(request.paginationLimit)
  const cursor = request.paginationCursor
  return {
    contentTopics: request.contentTopics,
    hashes: request.messageHashes.map((hash) => Buffer.from(hash).toString('hex')),
    ...(request.timeStart === undefined ? {} : { startNs: request.timeStart }),
    ...(request.timeEnd === undefined ? {} : { endNs: request.timeEnd }),
    ...(cursor === undefined || cursor.byteLength === 0 ? {} : { cursor: Buffer.from(cursor).toString('hex') }),
    forward: request.paginationForward,
    limit: Math.max(1, Math.min(asked === 0 ? STORE_PAGE_DEFAULT : asked, STORE_PAGE_MAX)),
    bytesMax: STORE_PAGE_BYTES_MAX,
    includeData: request.includeData,
  }
}
