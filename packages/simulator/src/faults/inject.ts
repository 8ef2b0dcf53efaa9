/** Lets a fault happen. */
import type { World } from '../world/world.ts'
import { harmDisk } from './disks.ts'
import type { Fault } from './fault.ts'
import { harmHost } from './hosts.ts'
import { harmNetwork } from './network.ts'
import { act } from './people.ts'
import { createScene } from './scene.ts'

/** Lets a fault happen now. Nothing of it lasts beyond `healMs`, but for the absence of hosts. */
export function inject(world: World, fault: Fault, healMs: number): void {
  const scene = createScene(world, fault.kind, healMs)
  switch (fault.kind) {
    case 'disk-full':
    case 'data-deleted':
    case 'data-restored':
      return harmDisk(scene, fault)
    case 'maintenance':
    case 'silence':
    case 'ack':
      return act(scene, fault, healMs)
    case 'partition':
    case 'one-way-cut':
    case 'link-cut':
    case 'slow-link':
    case 'isolation':
    case 'loss':
    case 'delay-spikes':
    case 'duplication':
    case 'reordering':
    case 'waku-outage':
    case 'recipient-offline':
      return harmNetwork(scene, fault)
    default:
      return harmHost(scene, fault, healMs)
  }
}
