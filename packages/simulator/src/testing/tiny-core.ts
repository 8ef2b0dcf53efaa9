/**
 * A tiny hand-made core for tests of the world: it beats every second to whom it was told of, and does whatever a
 * script asks for on its n-th event.
 */
import type { Effect, Event, HostId, SignedAs } from '@muster/protocol'
import type { Core, CoreView } from '../core.ts'
import { view } from './history.ts'

/** What a scripted core asks for on an event. */
export type Script = (self: HostId, event: Event, beat: () => SignedAs<'heartbeat'>) => readonly Effect[]

interface TinyState extends CoreView {
  readonly self: HostId
  readonly beats: number
  readonly nextBeatMs: number
}

const BEAT_MS = 1_000

/** Makes a core that beats to `peers` and follows the script. `seen` collects the events that it met. */
export function createTinyCore(
  peers: readonly HostId[],
  script: Script = () => [],
): Core & { readonly seen: string[] } {
  const seen: string[] = []
  return {
    seen,
    recipientIdOf: (publicKey) => `recipient-${publicKey[0]}`,
    createState: (options, restored, at): TinyState => ({
      ...view({ life: { incarnation: restored.incarnation, epoch: 0 } }),
      self: options.self,
      beats: 0,
      nextBeatMs: at.monotonicMs,
    }),
    step: (before, event) => {
      const state = before as TinyState
      let { beats, nextBeatMs } = state
      const beat = (): SignedAs<'heartbeat'> => {
        beats += 1
        return heartbeat(state.self, state.life.incarnation, beats)
      }
      if (event.kind !== 'tick') seen.push(`${state.self} ${event.kind}`)
      const effects: Effect[] = []
      if (event.kind === 'tick' && event.at.monotonicMs >= nextBeatMs) {
        nextBeatMs = event.at.monotonicMs + BEAT_MS
        const to = peers.filter((peer) => peer !== state.self)
        effects.push({ kind: 'send-heartbeat', to, heartbeat: beat(), riders: [] })
      }
      if (event.kind === 'probed') effects.push({ kind: 'answer-probe', ask: event.ask, heartbeat: beat() })
      if (event.kind === 'catch-up-asked') {
        effects.push({
          kind: 'answer-catch-up',
          ask: event.ask,
          carried: [],
          logs: [{ host: state.self, after: null }],
        })
      }
      effects.push(...script(state.self, event, beat))
      const next: TinyState = { ...state, beats, nextBeatMs }
      return { state: next, effects }
    },
  }
}

function heartbeat(signer: HostId, incarnation: number, beat: number): SignedAs<'heartbeat'> {
  const body = {
    life: { incarnation, epoch: 0 },
    beat,
    everyMs: BEAT_MS,
    graceMs: BEAT_MS,
    sleeps: false,
    mode: 'up' as const,
    restartMs: 0,
    head: null,
    observers: [],
    wakuAgeMs: null,
    sets: '',
    nonce: null,
  }
  return { domain: 'heartbeat', version: 1, mesh: 'mesh', signer, body, signature: new Uint8Array() }
}
