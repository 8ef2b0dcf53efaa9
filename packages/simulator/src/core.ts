/** What the world needs of a core: the real one of `@muster/protocol`, or a tiny hand-made one in a test. */
import type {
  Clock,
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
  /** `clock`: where the ticks that were passed over since the last event have moved the state's clock. */
  readonly step: (state: CoreView, event: Event, clock?: Clock) => Stepped
  /** The clock after a tick that brings nothing; null when it is to be taken in full, as all are without this. */
  readonly passTick?: (state: CoreView, at: Moment, clock?: Clock) => Clock | null
  readonly recipientIdOf: (publicKey: Uint8Array) => RecipientId
}
