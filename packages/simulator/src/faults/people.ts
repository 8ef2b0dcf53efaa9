/** What people do: they answer incidents, and announce what is planned. */
import type { MeshRecord } from '@muster/protocol'
import type { PersonAct } from './fault.ts'
import { type Scene, seconds } from './scene.ts'

/** Lets a person do something now. */
export function act({ world, host, nameOf, say }: Scene, deed: PersonAct, healMs: number): void {
  const publish = (make: (atUnixMs: number) => MeshRecord): void =>
    host(deed.by)?.deliver((at) => ({ kind: 'command', at, command: { kind: 'publish', record: make(at.unixMs) } }))
  switch (deed.kind) {
    case 'maintenance': {
      const subject = host(deed.host)?.setup.id
      if (subject === undefined) return
      const { forMs } = deed
      say([deed.by], `announces maintenance of ${nameOf(deed.host)} for ${seconds(forMs)}`)
      return publish((atUnixMs) => ({ kind: 'maintenance', host: subject, forMs, atUnixMs }))
    }
    case 'silence': {
      const forMs = Math.max(0, Math.min(deed.forMs, healMs - world.now()))
      const matcher = deed.check === null ? nameOf(deed.host) : `${nameOf(deed.host)}/${deed.check}`
      say([deed.by], `silences ${matcher} for ${seconds(forMs)}`)
      return publish((atUnixMs) => ({ kind: 'silence', matcher, forMs, atUnixMs }))
    }
    case 'ack': {
      const open = world.recipients[0]?.device.openIds() ?? []
      say([deed.by], `acknowledges ${open.length === 0 ? 'nothing' : open.map((id) => id.slice(0, 8)).join(', ')}`)
      for (const incident of open) publish((atUnixMs) => ({ kind: 'ack', incident, by: 'phone', atUnixMs }))
      return
    }
    default:
      return deed satisfies never
  }
}
