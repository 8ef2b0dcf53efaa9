/**
 * Filter v2, the service side: devices name content topics, and messages on them are pushed at once.
 *
 * Each subscriber has one long-lived push stream: a stream per message leaks in stock clients, which allow 64 at most.
 * A subscriber that does not ping or renew for five minutes, leaves, or cannot keep up is forgotten.
 * Source: 12/WAKU2-FILTER.
 */
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { proto_filter_v2 } from '@waku/proto'
import {
  ASK_TIMEOUT_MS,
  CONTENT_TOPIC_LENGTH_MAX,
  SUBSCRIBER_QUEUE_MAX,
  SUBSCRIBER_TOPICS_MAX,
  SUBSCRIBERS_MAX,
  SUBSCRIPTION_TTL_MS,
} from './limits.ts'
import type { Message } from './message.ts'
import { CODEC, PUBSUB_TOPIC } from './network.ts'
import { reasonOf, type WakuClock, type WakuLog } from './ports.ts'
import { decodeFilterRequest, type FilterRequest } from './wire.ts'

const { FilterSubscribeRequest, FilterSubscribeResponse, MessagePush } = proto_filter_v2

/** One push on its way. */
export interface Push {
  readonly connection: Connection
  /** True when the bytes were handed to the connection; the device has not confirmed anything yet. */
  readonly isSent: Promise<boolean>
}

/** The filter service of a node. */
export interface FilterService {
  answer(request: Uint8Array, connection: Connection): Promise<Uint8Array>
  /** Pushes a message to everybody who subscribed to its content topic. */
  push(message: Message): readonly Push[]
  /** Connections of the present subscribers. */
  subscribers(): readonly Connection[]
  forget(peer: string): void
  stop(): void
}

/** Makes the service. It holds no timer: what is over is forgotten when it is looked at. */
export function createFilterService(deps: {
  readonly clock: WakuClock
  readonly log: WakuLog
  readonly signal: AbortSignal
}): FilterService {
  const subscribers = new Map<string, Subscriber>()

  const forget = (peer: string): void => {
    subscribers.get(peer)?.stop()
    subscribers.delete(peer)
  }
  const forgetLapsed = (): void => {
    const nowMs = deps.clock.monotonicMs()
    for (const [peer, subscriber] of subscribers) if (subscriber.untilMs <= nowMs) forget(peer)
  }

  const handle = (request: FilterRequest, connection: Connection): Answer => {
    forgetLapsed()
    const peer = connection.remotePeer.toString()
    const known = subscribers.get(peer)
    const untilMs = deps.clock.monotonicMs() + SUBSCRIPTION_TTL_MS
    const { SUBSCRIBER_PING, SUBSCRIBE, UNSUBSCRIBE_ALL } = FilterSubscribeRequest.FilterSubscribeType
    const type = request.filterSubscribeType
    if (type === SUBSCRIBER_PING) {
      if (known === undefined) return { code: 404, text: 'no subscription' }
      known.untilMs = untilMs
      return { code: 200, text: 'OK' }
    }
    if (type === UNSUBSCRIBE_ALL) {
      forget(peer)
      return { code: 200, text: 'OK' }
    }
    const fault = faultOf(request)
    if (fault !== undefined) return fault
    if (type === SUBSCRIBE) {
      if (known === undefined && subscribers.size >= SUBSCRIBERS_MAX) return { code: 503, text: 'too many subscribers' }
      const topics = new Set([...(known?.topics ?? []), ...request.contentTopics])
      if (topics.size > SUBSCRIBER_TOPICS_MAX) return { code: 503, text: 'too many content topics' }
      const subscriber = known ?? new Subscriber(connection, deps.signal)
      subscriber.renew(connection, topics, untilMs)
      subscribers.set(peer, subscriber)
      return { code: 200, text: 'OK' }
    }
    for (const topic of request.contentTopics) known?.topics.delete(topic)
    if (known?.topics.size === 0) forget(peer)
    return { code: 200, text: 'OK' }
  }

  return {
    async answer(bytes, connection) {
      let requestId = 'N/A'
      let answer: Answer
      try {
        const request = decodeFilterRequest(bytes)
        requestId = request.requestId
        answer = handle(request, connection)
      } catch (cause) {
        deps.log.debug('refused a filter request', { reason: reasonOf(cause) })
        answer = { code: 400, text: 'malformed request' }
      }
      return FilterSubscribeResponse.encode({ requestId, statusCode: answer.code, statusDesc: answer.text })
    },
    push(message) {
      forgetLapsed()
      const pushes: Push[] = []
      let bytes: Uint8Array | undefined
      for (const [peer, subscriber] of subscribers) {
        if (!subscriber.topics.has(message.contentTopic)) continue
        bytes ??= MessagePush.encode({ wakuMessage: message.proto, pubsubTopic: PUBSUB_TOPIC })
        const isSent = subscriber.push(bytes).catch((cause: unknown) => {
          deps.log.debug('dropped a subscriber that cannot be pushed to', { peer, reason: reasonOf(cause) })
          if (subscribers.get(peer) === subscriber) forget(peer)
          return false
        })
        pushes.push({ connection: subscriber.connection, isSent })
      }
      return pushes
    },
    subscribers() {
      forgetLapsed()
      return [...subscribers.values()].map((subscriber) => subscriber.connection)
    },
    forget,
    stop() {
      for (const peer of [...subscribers.keys()]) forget(peer)
    },
  }
}

interface Answer {
  readonly code: number
  readonly text: string
}

function faultOf({ pubsubTopic, contentTopics }: FilterRequest): Answer | undefined {
  if (pubsubTopic !== PUBSUB_TOPIC) return { code: 400, text: 'not a pubsub topic of this node' }
  if (contentTopics.length === 0) return { code: 400, text: 'no content topics' }
  if (contentTopics.some((topic) => topic.length === 0 || topic.length > CONTENT_TOPIC_LENGTH_MAX)) {
    return { code: 400, text: 'a content topic is empty or too long' }
  }
  return undefined
}

class Subscriber {
  connection: Connection
  topics: Set<string> = new Set()
  /** When the subscription ends without renewal, on the monotonic clock. */
  untilMs = 0
  readonly #signal: AbortSignal
  readonly #stopping = new AbortController()
  #stream: { readonly stream: Stream; readonly frames: ReturnType<typeof lpStream<Stream>> } | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(connection: Connection, signal: AbortSignal) {
    this.connection = connection
    this.#signal = AbortSignal.any([signal, this.#stopping.signal])
  }

  renew(connection: Connection, topics: Set<string>, untilMs: number): void {
    if (this.connection !== connection && this.connection.status !== 'open') this.#stream = undefined
    this.connection = connection
    this.topics = topics
    this.untilMs = untilMs
  }

  /** Sends in order; rejects when the subscriber is too slow or gone. */
  push(bytes: Uint8Array): Promise<true> {
    if (this.#waiting >= SUBSCRIBER_QUEUE_MAX) return Promise.reject(new Error('too many pushes are waiting'))
    this.#waiting += 1
    const sent = this.#tail.then(() => this.#send(bytes))
    const settle = (): void => {
      this.#waiting -= 1
    }
    this.#tail = sent.then(settle, settle)
    return sent
  }

  stop(): void {
    this.#stopping.abort(new Error('the subscription ended'))
    this.#stream?.stream.abort(new Error('the subscription ended'))
  }

  async #send(bytes: Uint8Array): Promise<true> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
    if (this.#stream?.stream.status !== 'open') {
      const stream = await this.connection.newStream(CODEC.filterPush, { signal })
      // Nothing is read from it: a subscriber that writes here loses the stream.
      this.#stream = { stream, frames: lpStream(stream, { maxBufferSize: 1024 }) }
    }
    await this.#stream.frames.write(bytes, { signal })
    return true
  }
}
