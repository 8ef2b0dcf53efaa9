/** Faults of what a host keeps. */
import type { DiskFault } from './fault.ts'
import { back, type Scene, seconds } from './scene.ts'

/** Lets a fault of a disk happen now. */
export function harmDisk({ world, host: hostOf, say, backLater }: Scene, fault: DiskFault): void {
  const host = hostOf(fault.host)
  if (host === undefined) return
  switch (fault.kind) {
    case 'disk-full':
      say([fault.host], `loses power${back(fault.backAfterMs)} and finds its disk full`)
      host.end('power')
      host.disk.fill(true)
      backLater(fault.host, fault.backAfterMs)
      world.after(fault.backAfterMs + fault.againAfterMs, () => {
        host.end('stop')
        world.after(AGAIN_MS, () => {
          host.disk.fill(false)
          host.start()
        })
      })
      return
    case 'data-deleted':
      say([fault.host], `loses power${back(fault.backAfterMs)} and its data for good`)
      host.end('power')
      host.disk.replace(null)
      return backLater(fault.host, fault.backAfterMs)
    case 'data-restored': {
      say([fault.host], `its data is copied, and restored from that copy in ${seconds(fault.afterMs)}`)
      const copy = host.disk.copy()
      world.after(fault.afterMs, () => {
        host.end('power')
        host.disk.replace(copy)
        backLater(fault.host, fault.backAfterMs)
      })
      return
    }
    default:
      return fault satisfies never
  }
}

/** From the stop on a full disk to the start with room. */
const AGAIN_MS = 5_000
