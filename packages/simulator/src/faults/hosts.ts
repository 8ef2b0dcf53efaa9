/** Faults of machines and processes. */
import type { Effect } from '@muster/protocol'
import type { HostFault } from './fault.ts'
import { back, type Scene, seconds } from './scene.ts'

/** Lets a fault of a machine or a process happen now. */
export function harmHost(scene: Scene, fault: HostFault, healMs: number): void {
  const { world, say, during, backLater } = scene
  const all = world.hosts.map((_, index) => index)
  switch (fault.kind) {
    case 'power-cut':
    case 'kill': {
      say([fault.host], `${fault.kind === 'kill' ? 'its process is killed' : 'loses power'}${back(fault.backAfterMs)}`)
      world.hosts[fault.host]?.end(fault.kind === 'kill' ? 'kill' : 'power')
      return backLater(fault.host, fault.backAfterMs)
    }
    case 'mass-death': {
      say(fault.hosts, `lose power together${back(fault.backAfterMs)}`)
      for (const host of fault.hosts) {
        world.hosts[host]?.end('power')
        backLater(host, fault.backAfterMs)
      }
      return
    }
    case 'blackout': {
      say(all, `lose power together, for ${fault.backAfterMs.map(seconds).join(', ')}`)
      for (const host of all) world.hosts[host]?.end('power')
      for (const host of all) backLater(host, fault.backAfterMs[host] ?? 0)
      return
    }
    case 'power-cut-between-effects': {
      let left = fault.effects
      say([fault.host], `will lose power after ${left} effects`)
      return dieOn(scene, [fault.host], fault.backAfterMs, healMs, () => {
        left -= 1
        return left < 0
      })
    }
    case 'power-cut-after-claim':
      say([fault.host], 'will lose power after a claim')
      return dieOn(scene, [fault.host], fault.backAfterMs, healMs, isClaim)
    case 'notifier-dies':
      say([], `whoever claims next loses power${back(fault.backAfterMs)}`)
      return dieOn(scene, all, fault.backAfterMs, healMs, isClaim)
    case 'stop':
    case 'restart':
      say(
        [fault.host],
        fault.kind === 'restart' ? `restarts${back(fault.backAfterMs)}` : `is told to stop${back(fault.backAfterMs)}`,
      )
      world.hosts[fault.host]?.end('stop')
      return backLater(fault.host, fault.backAfterMs)
    case 'restart-of-all':
      say(all, `restart together, for ${fault.backAfterMs.map(seconds).join(', ')}`)
      for (const host of all) {
        world.hosts[host]?.end('stop')
        backLater(host, fault.backAfterMs[host] ?? 0)
      }
      return
    case 'leave':
      say([fault.host], `leaves the mesh${back(fault.backAfterMs)}`)
      world.hosts[fault.host]?.end('leave')
      return backLater(fault.host, fault.backAfterMs)
    case 'freeze':
    case 'suspend': {
      const host = world.hosts[fault.host]
      if (host === undefined) return
      say(
        [fault.host],
        `${fault.kind === 'freeze' ? 'its process is stopped' : 'is suspended'} for ${seconds(fault.forMs)}`,
      )
      return during(fault.forMs, fault.kind === 'freeze' ? host.freeze : host.suspend, host.resume)
    }
    case 'stalls': {
      const host = world.hosts[fault.host]
      if (host === undefined) return
      say([fault.host], `its event loop stands still, ${fault.stallsMs.map(seconds).join(', ')} long`)
      const next = ([first, ...rest]: readonly number[]): void => {
        if (first === undefined || world.now() >= healMs) return
        during(first, host.freeze, () => {
          host.resume()
          world.after(fault.pauseMs, () => next(rest))
        })
      }
      return next(fault.stallsMs)
    }
    case 'wall-jump':
      say([fault.host], 'its wall clock jumps')
      return world.hosts[fault.host]?.jumpWall(fault.byMs)
    case 'replay':
      say([fault.host], `hears ${fault.times} old records again`)
      for (let time = 0; time < fault.times; time += 1) {
        world.after(time * 700, () => world.hosts[fault.host]?.replay(time % 2 === 1))
      }
      return
    default:
      return fault satisfies never
  }
}

function isClaim(effect: Effect): boolean {
  return effect.kind === 'gossip' && effect.record.domain === 'notice' && effect.record.body.step === 'claim'
}

/** The first of these hosts to do an effect that is due loses power right after it; the others are then safe. */
function dieOn(
  { world, during, backLater }: Scene,
  hosts: readonly number[],
  backAfterMs: number | null,
  healMs: number,
  isDue: (effect: Effect) => boolean,
): void {
  let isArmed = true
  for (const index of hosts) {
    world.hosts[index]?.crashAfter((effect) => {
      if (!isArmed || !isDue(effect)) return false
      isArmed = false
      backLater(index, backAfterMs)
      return true
    })
  }
  during(
    healMs,
    () => undefined,
    () => {
      isArmed = false
    },
  )
}
