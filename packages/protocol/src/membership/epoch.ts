/** Beginning a new epoch of this host's life. */
import type { Work } from '../work.ts'
import { beatSoon } from './heartbeats.ts'

/** The present life has a name in an incident that has ended, or in a verdict: what comes now needs another. */
export function raiseEpoch(work: Work): void {
  const { incarnation, epoch } = work.state.life
  work.state.life = { incarnation, epoch: epoch + 1 }
  work.effects.push({ kind: 'keep-life', life: work.state.life })
  beatSoon(work)
}
