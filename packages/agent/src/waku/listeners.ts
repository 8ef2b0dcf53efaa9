/** The agent's own ears on a Waku node: who wants to hear which content topic. */
import { OWN_TOPICS_MAX } from './limits.ts'
import { type Message, timestampMsOf } from './message.ts'
import { reasonOf, WakuError, type WakuLog } from './ports.ts'

/** A message as the agent hears it. */
export interface ReceivedMessage {
  readonly contentTopic: string
  /** The payload as it travelled: still sealed. */
  readonly payload: Uint8Array
  /** The sender's clock, milliseconds since 1970. */
  readonly timestampMs: number
  /** The message hash, lower-case hex. */
  readonly hash: string
}

/** Listeners by content topic. */
export interface Listeners {
  /** Adds one; the function it gives removes it. Throws a `WakuError`, `too-many`. */
  add(contentTopics: readonly string[], onMessage: (message: ReceivedMessage) => void): () => void
  has(contentTopic: string): boolean
  tell(message: Message): void
}

/** Makes an empty set of listeners. One that throws is logged and harms no other. */
export function createListeners(log: WakuLog): Listeners {
  const byTopic = new Map<string, Set<(message: ReceivedMessage) => void>>()
  return {
    add(contentTopics, onMessage) {
      const added = contentTopics.filter((topic) => !byTopic.has(topic)).length
      if (byTopic.size + added > OWN_TOPICS_MAX) {
        throw new WakuError('too-many', `listening to more than ${OWN_TOPICS_MAX} content topics`)
      }
      for (const topic of contentTopics) byTopic.set(topic, (byTopic.get(topic) ?? new Set()).add(onMessage))
      return () => {
        for (const topic of contentTopics) {
          const listeners = byTopic.get(topic)
          listeners?.delete(onMessage)
          if (listeners?.size === 0) byTopic.delete(topic)
        }
      }
    },
    has: (contentTopic) => byTopic.has(contentTopic),
    tell(message) {
      const { contentTopic, payload, hash } = message
      for (const listener of byTopic.get(contentTopic) ?? []) {
        try {
          listener({ contentTopic, payload, hash, timestampMs: timestampMsOf(message) })
        } catch (cause) {
          log.warn('a listener of a Waku topic failed', { reason: reasonOf(cause) })
        }
      }
    },
  }
}
