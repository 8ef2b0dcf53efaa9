/** Registers what a Waku node serves on its libp2p node, each protocol within its bounds. */
import type { Connection, Stream } from '@libp2p/interface'
import { proto_filter_v2 } from '@waku/proto'
import type { FilterService } from './filter.ts'
import type { WakuHost } from './host.ts'
import { STREAMS_PER_PROTOCOL_MAX } from './limits.ts'
import type { Message } from './message.ts'
import type { MessageStore } from './message-store.ts'
import { CODEC } from './network.ts'
import type { WakuClock, WakuLog } from './ports.ts'
import { answerLightPush, answerStore, refuseLightPush, refuseStore } from './services.ts'
import { answerOnce } from './streams.ts'
import { encodeMetadata } from './wire.ts'

/** What the services need of the node. */
export interface ServeDeps {
  readonly clock: WakuClock
  readonly log: WakuLog
  readonly store: MessageStore
  readonly filter: FilterService
  readonly signal: AbortSignal
  /** Takes tokens from the peer's bucket: one for a request and one for every 16 KiB of it. */
  readonly isWithinRate: (peer: string, tokens: number) => boolean
  readonly take: (message: Message) => Promise<{ readonly relayed: number }>
}

/** Registers metadata, light push, filter and store. */
export async function registerServices(host: WakuHost, deps: ServeDeps): Promise<void> {
  const serve = (
    protocol: string,
    answer: (request: Uint8Array, connection: Connection) => Promise<Uint8Array>,
    refuse: () => Uint8Array | undefined,
  ): Promise<void> =>
    host.handle(
      protocol,
      (stream: Stream, connection: Connection) =>
        answerOnce(
          stream,
          async (request) => {
            const tokens = 1 + request.byteLength / 16_384
            if (!deps.isWithinRate(connection.remotePeer.toString(), tokens)) return refuse()
            return answer(request, connection)
          },
          deps.signal,
        ),
      { maxInboundStreams: STREAMS_PER_PROTOCOL_MAX, maxOutboundStreams: STREAMS_PER_PROTOCOL_MAX },
    )

  await serve(
    CODEC.metadata,
    async () => encodeMetadata(),
    () => undefined,
  )
  await serve(CODEC.lightPush, (request) => answerLightPush(request, deps), refuseLightPush)
  await serve(CODEC.store, (request) => answerStore(request, deps), refuseStore)
  await serve(CODEC.filterSubscribe, (request, connection) => deps.filter.answer(request, connection), refuseFilter)
}

function refuseFilter(): Uint8Array {
  return proto_filter_v2.FilterSubscribeResponse.encode({
    requestId: 'N/A',
    statusCode: 429,
    statusDesc: 'too many requests',
  })
}
