/** What the world needs of a core: the real one of `@muster/protocol`, or a tiny hand-made one in a test. */
import type {
  CoreOptions,
  Effect,
  Event,
  HostId,
  Incident,
  IncidentId,
  Life,
  LogHead,
  Moment,
  RecipientId,
  Restored,
} from '@muster/protocol'

/** What a core believes about a peer, as far as checkers care. */
export interface MemberView {
  readonly state: string
  readonly life?: Life
  readonly heartbeat?: { readonly body: { readonly mode: 'up' | 'stopping' } } | null
}

/** The part of a core's state that checkers and stories read. */
export interface CoreView {
  readonly life: Life
  readonly members: ReadonlyMap<HostId, MemberView>
  readonly incidents: ReadonlyMap<IncidentId, Incident>
  readonly heads: ReadonlyMap<HostId, LogHead>
  readonly isolated: boolean
  /** Not null while the host judges nobody: after an own gap, or as a late joiner. */
  readonly quiet: object | null
}

/** One turn of a core. */
export interface Stepped {
  readonly state: CoreView
  readonly effects: readonly Effect[]
}

/** A pure core. A state goes only to the core that made it. */
export interface Core {
  readonly createState: (options: CoreOptions, restored: Restored, at: Moment) => CoreView
  readonly step: (state: CoreView, event: Event) => Stepped
  readonly recipientIdOf: (publicKey: Uint8Array) => RecipientId
}
