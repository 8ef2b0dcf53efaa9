/** Bytes of the Waku protocols: decoding within bounds, and the one message that the stock codec writes incompletely. */
import { proto_filter_v2, proto_lightpush, proto_metadata, proto_store } from '@waku/proto'
import { REQUEST_HASHES_MAX, REQUEST_TOPICS_MAX, STORE_PAGE_MAX } from './limits.ts'
import { CLUSTER_ID, SHARD } from './network.ts'
import { WakuError } from './ports.ts'

/** Decoded filter request. */
export type FilterRequest = ReturnType<typeof proto_filter_v2.FilterSubscribeRequest.decode>
/** Decoded light push request. */
export type LightPushRequest = ReturnType<typeof proto_lightpush.LightPushRequestV3.decode>
/** Decoded store request. */
export type StoreRequest = ReturnType<typeof proto_store.StoreQueryRequest.decode>
/** Decoded store answer: one page of messages, and the cursor to ask for the next. */
export type StoreAnswer = ReturnType<typeof proto_store.StoreQueryResponse.decode>

const REQUEST_ID_LENGTH_MAX = 128

/** Reads a filter request. Throws a `WakuError`, `bad-message`. */
export function decodeFilterRequest(bytes: Uint8Array): FilterRequest {
  const limits = { contentTopics: REQUEST_TOPICS_MAX }
  return checkId(decoded(() => proto_filter_v2.FilterSubscribeRequest.decode(bytes, { limits })))
}

/** Reads a light push request. Throws a `WakuError`, `bad-message`. */
export function decodeLightPushRequest(bytes: Uint8Array): LightPushRequest {
  return checkId(decoded(() => proto_lightpush.LightPushRequestV3.decode(bytes)))
}

/** Reads a store request. Throws a `WakuError`, `bad-message`. */
export function decodeStoreRequest(bytes: Uint8Array): StoreRequest {
  const limits = { contentTopics: REQUEST_TOPICS_MAX, messageHashes: REQUEST_HASHES_MAX }
  return checkId(decoded(() => proto_store.StoreQueryRequest.decode(bytes, { limits })))
}

/** Reads a store answer. Throws a `WakuError`, `bad-message`. */
export function decodeStoreAnswer(bytes: Uint8Array): StoreAnswer {
  return decoded(() => proto_store.StoreQueryResponse.decode(bytes, { limits: { messages: STORE_PAGE_MAX } }))
}

/** Reads a light push answer. Throws a `WakuError`, `bad-message`. */
export function decodeLightPushAnswer(bytes: Uint8Array): { statusCode: number; statusDesc?: string } {
  return decoded(() => proto_lightpush.LightPushResponseV3.decode(bytes))
}

/**
 * Our cluster and shard, as request and as answer.
 *
 * Field 1 is the cluster, field 2 the shards unpacked (what js-waku reads) and field 3 the shards packed (what
 * go-waku reads; it drops a peer without them). The stock codec writes only 1 and 2.
 * Source: 66/WAKU2-METADATA.
 */
export function encodeMetadata(): Uint8Array {
  const known = proto_metadata.WakuMetadataResponse.encode({ clusterId: CLUSTER_ID, shards: [SHARD] })
  // Tag of field 3, length-delimited; one byte long; the shard, which is below 128 and so one byte.
  const packed = Uint8Array.of(0x1a, 1, SHARD)
  return Buffer.concat([known, packed])
}

/** The cluster that a peer says it is on. Throws a `WakuError`, `bad-message`. */
export function decodeCluster(bytes: Uint8Array): number | undefined {
  return decoded(() => proto_metadata.WakuMetadataResponse.decode(bytes, { limits: { shards: 1024 } })).clusterId
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new WakuError('bad-message', 'not the protobuf that this protocol speaks', { cause })
  }
}

function checkId<T extends { requestId: string }>(request: T): T {
  if (request.requestId.length > REQUEST_ID_LENGTH_MAX) throw new WakuError('bad-message', 'the request id is too long')
  return request
}
