/**
 * Yamux that says how much it has read once half of its window is used up, as the specification advises. @libp2p/yamux
 * 8.0.3 says so after each frame, which doubles the frames of a swarm that sends small messages: of an idle agent's
 * processor time they were an eighth.
 */
import type { StreamMuxerFactory } from '@libp2p/interface'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'
import { StreamState, type YamuxStream } from '@libp2p/yamux/stream'

/** What the muxer and its streams keep to themselves. */
interface OpenMuxer {
  onCreateStream(options: unknown): YamuxStream
  onRemoteStream(stream: YamuxStream): void
}
type OpenStream = Omit<YamuxStream, 'recvWindow' | 'recvWindowCapacity'> & {
  readonly recvWindow: number
  readonly recvWindowCapacity: number
}

/** Makes the factory that libp2p asks for. */
export function thriftyYamux(init: YamuxMuxerInit = {}): () => StreamMuxerFactory {
  return () => {
    const factory = yamux(init)()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection)
      makeThrifty(muxer as unknown as OpenMuxer)
      return muxer
    }
    return factory
  }
}

function makeThrifty(muxer: OpenMuxer): void {
  const own = muxer.onCreateStream.bind(muxer)
  muxer.onCreateStream = (options) => quieted(own(options))
  const theirs = muxer.onRemoteStream.bind(muxer)
  muxer.onRemoteStream = (stream) => theirs(quieted(stream))
}

function quieted(stream: YamuxStream): YamuxStream {
  const send = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = (): void => {
    const { state, recvWindow, recvWindowCapacity } = stream as unknown as OpenStream
    // Before that an update also opens the stream, or acknowledges that it was opened.
    if (state === StreamState.Established && recvWindowCapacity > recvWindow / 2) return
    send()
  }
  return stream
}
