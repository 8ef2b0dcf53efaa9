/**
 * What truly happened in a run: the world states it, checkers and stories read it.
 *
 * Times are the world's one true time, milliseconds from its start.
 */
import type { AnySigned, Effect, HostId, IncidentId, Life, LogHead, Notice, RecipientId } from '@muster/protocol'
import type { CoreView } from './core.ts'

/** What a host's machine and process do. `off`: no process; `frozen`: stopped, time goes on; `suspended`: asleep. */
export type Mode = 'off' | 'running' | 'frozen' | 'suspended'

/** Why a host changed its mode. `power`: no goodbye and the boot ends; `kill`: the process only. */
export type Cause = 'start' | 'power' | 'kill' | 'stop' | 'leave' | 'freeze' | 'suspend' | 'resume'

/** What a recipient's device shows. */
export type Shown = 'fired' | 'worse' | 'reminder' | 'resolved'

/** What a host looks like when the run ends. */
export interface FinalView {
  readonly host: HostId
  readonly mode: Mode
  readonly view: CoreView | null
  /** Its logs, oldest first, and when each was at which head. */
  readonly logs: ReadonlyMap<HostId, readonly LogHead[]>
}

/**
 * One thing that truly happened, and when. `fault` is where a fault begins or ends, as one line of the schedule, in
 * words; `mode` is a host that changed what it does.
 */
export type Happening = { readonly atMs: number } & (
  | { readonly kind: 'fault'; readonly fault: string; readonly hosts: readonly HostId[]; readonly text: string }
  | { readonly kind: 'mode'; readonly host: HostId; readonly mode: Mode; readonly cause: Cause }
  /** A host has started without something that it had synced: a full disk, an old copy, an empty folder. */
  | { readonly kind: 'data-lost'; readonly host: HostId }
  /** One direction of a link works, or no longer. */
  | { readonly kind: 'link'; readonly from: HostId; readonly to: HostId; readonly up: boolean }
  /** All that a host sends or is sent takes so much longer from now on. */
  | { readonly kind: 'slow'; readonly host: HostId; readonly byMs: number }
  /** Whether the network misbehaves anywhere: loss, spikes, duplication, reordering. */
  | { readonly kind: 'noise'; readonly noisy: boolean }
  /** A host received a signed heartbeat that its sender had received `ageMs` ago. */
  | {
      readonly kind: 'heard'
      readonly by: HostId
      readonly of: HostId
      readonly life: Life
      readonly beat: number
      readonly ageMs: number
    }
  /** A record arrived at a host's core. */
  | { readonly kind: 'arrived'; readonly host: HostId; readonly from: HostId; readonly record: AnySigned }
  /** Something else than a record showed a host that a peer is there: a question, or the end of an answer. */
  | { readonly kind: 'frame'; readonly host: HostId; readonly from: HostId }
  /** A core asked for an effect, which is done. `before`: the state that it had before the step. */
  | { readonly kind: 'effect'; readonly host: HostId; readonly effect: Effect; readonly before: CoreView }
  /** Whether a host's Waku takes notices and delivers them in time; `lies` when it takes some and loses them. */
  | { readonly kind: 'waku'; readonly host: HostId; readonly works: boolean; readonly lies: boolean }
  /** A person adds a recipient at some host. */
  | { readonly kind: 'announced'; readonly recipient: RecipientId }
  | { readonly kind: 'online'; readonly recipient: RecipientId; readonly online: boolean }
  /** Waku took a copy of a notice. */
  | {
      readonly kind: 'copy'
      readonly host: HostId
      readonly attempt: number
      readonly recipient: RecipientId
      readonly notice: Notice
    }
  /** A recipient's device showed a line about an incident, or took it as an update of an open one (`shown` null). */
  | {
      readonly kind: 'shown'
      readonly recipient: RecipientId
      readonly host: HostId
      readonly check: string
      readonly incident: IncidentId
      readonly shown: Shown | null
    }
  /** A host put so many bytes on the wire. */
  | { readonly kind: 'bytes'; readonly host: HostId; readonly bytes: number }
  /** A recording was played to a host's core once more, aside from the run: what it would have done. */
  | {
      readonly kind: 'replayed'
      readonly host: HostId
      readonly record: AnySigned
      readonly before: CoreView
      readonly after: CoreView
      readonly effects: readonly Effect[]
    }
  /** From here on nothing is broken any more: everything heals and is left alone. */
  | { readonly kind: 'healed' }
  | { readonly kind: 'ended'; readonly views: readonly FinalView[] }
)
