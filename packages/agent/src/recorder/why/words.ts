/** Names for the lines of a replay, as the host that recorded knew them. */
import { type HostId, labelOf, type RecipientId, recipientsOf, type State } from '@muster/protocol'

/** One line: what it is about in one word, for scripts, and in words for a person. It may hold text that others wrote. */
export interface WhyLine {
  readonly topic: 'host' | 'doubt' | 'verdict' | 'incident' | 'turn' | 'notice' | 'mesh'
  readonly text: string
}

/** Names things. */
export interface Words {
  host(host: HostId): string
  /** "birch, cedar and this host" */
  hosts(hosts: readonly HostId[]): string
  recipient(recipient: RecipientId): string
}

/** The words of a host in a state. */
export function wordsOf(state: State): Words {
  const host = (id: HostId): string => (id === state.options.self ? 'this host' : labelOf(state, id))
  return {
    host,
    hosts(ids) {
      const names = ids.map(host)
      const last = names.pop()
      return names.length === 0 ? (last ?? 'nobody') : `${names.join(', ')} and ${last}`
    },
    recipient: (id) => recipientsOf(state).find((recipient) => recipient.id === id)?.name ?? id.slice(0, 8),
  }
}
