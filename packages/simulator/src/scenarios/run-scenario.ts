/** Plays one scenario with real (or hand-made) cores, and hands everything that happens to an audience. */
import type { Rule } from '@muster/protocol'
import type { Core } from '../core.ts'
import { inject } from '../faults/inject.ts'
import type { Happening } from '../happening.ts'
import { createWorld } from '../world/world.ts'
import type { Scenario } from './scenario.ts'

/** When the first host announces the recipients. */
const RECIPIENTS_MS = 6_000

/** Plays a scenario to its end. */
export function runScenario(
  scenario: Scenario,
  core: Core,
  without: readonly Rule[],
  onHappening: (happening: Happening) => void,
): void {
  const world = createWorld({
    seed: scenario.seed,
    mesh: scenario.mesh,
    hosts: scenario.hosts,
    recipients: scenario.recipients,
    core,
    without,
    onHappening,
  })
  for (const { kind: fault, hosts, text } of scenario.oddities) {
    onHappening({ kind: 'fault', atMs: 0, fault, hosts, text })
  }
  for (const [index, host] of world.hosts.entries()) world.after(scenario.startMs[index] ?? 0, host.start)
  world.after(RECIPIENTS_MS, () => {
    for (const { id, name, publicKey } of world.recipients) {
      onHappening({ kind: 'announced', atMs: RECIPIENTS_MS, recipient: id })
      world.hosts[0]?.deliver((at) => ({
        kind: 'command',
        at,
        command: { kind: 'publish', record: { kind: 'recipient', name, publicKey, atUnixMs: at.unixMs } },
      }))
    }
  })
  for (const { atMs, fault } of scenario.lines) world.after(atMs, () => inject(world, fault, scenario.healMs))
  world.after(scenario.healMs, () => onHappening({ kind: 'healed', atMs: scenario.healMs }))
  world.run(scenario.endMs)
  world.end()
}
