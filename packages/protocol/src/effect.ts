/**
 * What the core asks its shell to do. What is to be sent leaves after all that was to be kept before it is on disk, and
 * after what was to be sent before it; a heartbeat, a probe and its answer wait for a new life alone, and a notice only
 * so long. Sending is not awaited.
 *
 * Records signed by this host arrive with an empty signature: the shell signs whatever it sends or stores.
 * Ed25519 is deterministic, so that the same body always becomes the same bytes.
 */

import type { Digest } from './event.ts'
import type { HostId, RecipientId } from './ids.ts'
import type { Incident } from './incidents/incident.ts'
import type { Notice } from './notifier/notice.ts'
import type { AnySigned, Life, LogHead, SignedAs } from './wire/records.ts'

/** A record on its way to a peer, with the time since its sender received it (0 for its own). */
export interface Carried {
  readonly record: AnySigned
  readonly ageMs: number
}

/**
 * One thing for the shell to do. Ages and time-outs are milliseconds. `ask` repeats the number of the question that is
 * answered; `attempt` numbers one try of this host at telling a recipient.
 */
export type Effect =
  /** Store this host's life, fsynced. */
  | { readonly kind: 'keep-life'; readonly life: Life }
  /**
   * Append to the log of the entry's signer, made `ageMs` ago; `sync` (an entry of this host's own) means fsynced before
   * it is sent.
   */
  | {
      readonly kind: 'keep-entry'
      readonly entry: SignedAs<'entry'>
      readonly head: LogHead
      readonly ageMs: number
      readonly sync: boolean
    }
  /** Store a mergeable record (verdict, notice, mesh record) durably under its id, or drop it. */
  | { readonly kind: 'keep-record'; readonly id: string; readonly record: AnySigned; readonly ageMs: number }
  | { readonly kind: 'drop-record'; readonly id: string }
  /** Store how much of a check's period has been spent, so that its deadline survives a restart. */
  | { readonly kind: 'keep-check-time'; readonly check: string; readonly spentMs: number }
  /** To all members, by gossip. */
  | { readonly kind: 'gossip'; readonly record: AnySigned }
  /** To each of `to`, over the standing streams; `riders` go in the same frame. */
  | {
      readonly kind: 'send-heartbeat'
      readonly to: readonly HostId[]
      readonly heartbeat: SignedAs<'heartbeat'>
      readonly riders: readonly Carried[]
    }
  /** Straight to one peer. */
  | { readonly kind: 'send'; readonly to: HostId; readonly carried: readonly Carried[] }
  /** Ask `target` for a fresh heartbeat, straight and through `relays`; end it after `timeoutMs` with `probe-ended`. */
  | {
      readonly kind: 'probe'
      readonly target: HostId
      readonly nonce: string
      readonly relays: readonly HostId[]
      readonly timeoutMs: number
    }
  | { readonly kind: 'answer-probe'; readonly ask: number; readonly heartbeat: SignedAs<'heartbeat'> }
  /** Pull from `peer` what `digest` lacks; every record becomes `received`, then `catch-up-ended`. */
  | { readonly kind: 'catch-up'; readonly peer: HostId; readonly digest: Digest }
  /** Answer `ask`: these records, then from the store all entries of each host after `after` (null: all held), in order. */
  | {
      readonly kind: 'answer-catch-up'
      readonly ask: number
      readonly carried: readonly Carried[]
      readonly logs: readonly { readonly host: HostId; readonly after: LogHead | null }[]
    }
  /**
   * Encode and encrypt a notice once, put it into the outbox, then ask (`departing`) before it leaves. `noticeKey` is
   * the same for every attempt at the same notice by this host.
   */
  | {
      readonly kind: 'send-notice'
      readonly attempt: number
      readonly recipient: RecipientId
      readonly notice: Notice
      /** Give up, as `refused`, when nobody has taken it after this long. */
      readonly timeoutMs: number
    }
  | { readonly kind: 'depart'; readonly attempt: number }
  | { readonly kind: 'abandon'; readonly attempt: number }
  /** An incident opened, changed or ended, for the shell to show and to keep. */
  | { readonly kind: 'incident'; readonly incident: Incident }
  /** This host has concluded that a life of a host has ended: for logs, status and the checkers of a simulation. */
  | {
      readonly kind: 'concluded'
      readonly subject: HostId
      readonly life: Life
      readonly beat: number
      readonly ageMs: number
      readonly how: 'votes' | 'adopted' | 'alone'
    }
  /** Something that a person may want to read in the log: one constant phrase, variables as fields. */
  | {
      readonly kind: 'report'
      readonly level: 'debug' | 'info' | 'warn'
      readonly phrase: string
      readonly fields: Readonly<Record<string, string | number | boolean>>
    }
