/** The peer of `takeover`: a cluster of three Alertmanagers, and a webhook that counts what they tell. */
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { until } from '../e2e/host.ts'
import { freePorts } from '../e2e/ports.ts'
import { createProcesses, type Running } from '../e2e/processes.ts'
import type { Victim } from './faults.ts'
import type { Ground } from './ground.ts'

const MEMBERS = 3
const SETTLED_MS = 120_000
const ASK_EVERY_MS = 250
const GET_MS = 2_000
/** An alert of a benchmark does not end by itself meanwhile. Milliseconds. */
const ALERT_MS = 3_600_000

/** One notice as the webhook got it. */
export interface Hooked {
  readonly member: string
  readonly alert: string
  /** On the monotonic clock of this process. */
  readonly atMs: number
}

/** One Alertmanager. */
export interface Member extends Victim {
  /** Where it stands in the order of who tells, by its own word; 0 is first. */
  position(): Promise<number>
  /** How many of the cluster it sees, itself included. */
  peers(): Promise<number>
}

/** A cluster and its webhook. */
export interface Alertmanagers {
  readonly members: readonly Member[]
  readonly hooked: readonly Hooked[]
  /** Called with each notice before it is answered; one that gives false leaves it without an answer. */
  onHooked(listener: (hooked: Hooked) => boolean): void
  /** Tells these members of an alert, as Prometheus tells all; gives when that began. */
  post(alert: string, members: readonly Member[]): Promise<number>
  /** Waits until all see each other; gives them in the order in which they tell. */
  settled(): Promise<readonly Member[]>
  end(): Promise<void>
}

/** Starts a cluster in a folder of its own. */
export async function createAlertmanagers(program: string, folder: string, ground: Ground): Promise<Alertmanagers> {
  await mkdir(folder, { recursive: true })
  const processes = createProcesses(folder)
  const hooked: Hooked[] = []
  let listener: (notice: Hooked) => boolean = () => true
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const member = (request.url ?? '').slice(1)
      const alert = (JSON.parse(body) as { commonLabels: { alertname: string } }).commonLabels.alertname
      const notice = { member, alert, atMs: performance.now() }
      hooked.push(notice)
      if (listener(notice)) response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, ground.gateway, resolve))
  const hookPort = (server.address() as AddressInfo).port

  const members: Member[] = []
  const gossipOf = new Map<string, string>()
  let firstPeer: string | undefined
  for (let index = 0; index < MEMBERS; index += 1) {
    const name = `alertmanager-${index + 1}`
    const spot = ground.take()
    const { swarm: gossip, api: port } = await freePorts()
    const config = join(folder, `${name}.yml`)
    await writeFile(config, configOf(`http://${ground.gateway}:${hookPort}/${name}`))
    const peer = firstPeer
    firstPeer ??= `${spot.address}:${gossip}`
    const start = (): Running => {
      const second = members[1]
      // The first one, started again, finds the others through the second.
      const at = peer ?? (second === undefined ? undefined : gossipOf.get(second.name))
      return processes.start(
        [
          `--config.file=${config}`,
          `--storage.path=${join(folder, name)}`,
          `--web.listen-address=${spot.address}:${port}`,
          `--cluster.listen-address=${spot.address}:${gossip}`,
          ...(at === undefined ? [] : [`--cluster.peer=${at}`]),
        ],
        { program: [program], prefix: spot.prefix },
      )
    }
    gossipOf.set(name, `${spot.address}:${gossip}`)
    let running = start()
    const get = async (path: string): Promise<Response> =>
      await fetch(`http://${spot.address}:${port}${path}`, { signal: AbortSignal.timeout(GET_MS) })
    members.push({
      name,
      spot,
      port,
      process: () => running,
      restart() {
        running = start()
      },
      position: async () => parsePosition(await (await get('/metrics')).text()),
      async peers() {
        const { cluster } = (await (await get('/api/v2/status')).json()) as ClusterStatus
        return cluster.status === 'ready' ? cluster.peers.length : 0
      },
    })
  }

  return {
    members,
    hooked,
    onHooked(next) {
      listener = next
    },
    async post(alert, to) {
      const now = Date.now()
      const body = JSON.stringify([
        {
          labels: { alertname: alert },
          startsAt: new Date(now).toISOString(),
          endsAt: new Date(now + ALERT_MS).toISOString(),
        },
      ])
      const startMs = performance.now()
      const headers = { 'content-type': 'application/json' }
      await Promise.all(
        to.map(async ({ spot, port }) => {
          const signal = AbortSignal.timeout(GET_MS)
          const url = `http://${spot.address}:${port}/api/v2/alerts`
          const { ok, status } = await fetch(url, { method: 'POST', headers, body, signal })
          if (!ok) throw new Error(`an Alertmanager answered ${status}`)
        }),
      )
      return startMs
    },
    async settled() {
      const isSettled = async (): Promise<boolean> =>
        (await Promise.all(members.map((member) => member.peers()))).every((seen) => seen === MEMBERS)
      await until('the Alertmanagers to see each other', SETTLED_MS, isSettled, ASK_EVERY_MS)
      const placed = await Promise.all(members.map(async (member) => ({ member, at: await member.position() })))
      return placed.sort((a, b) => a.at - b.at).map(({ member }) => member)
    },
    async end() {
      await processes.end()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface ClusterStatus {
  readonly cluster: { readonly status: string; readonly peers: readonly unknown[] }
}

/** The position in the text of an Alertmanager's metrics. Throws when it is not there. */
export function parsePosition(metrics: string): number {
  const text = /^alertmanager_peer_position (\S+)$/mu.exec(metrics)?.[1]
  if (text === undefined) throw new Error('an Alertmanager does not say its position')
  return Number(text)
}

/** Every alert by itself and at once, told once. */
function configOf(url: string): string {
  return `route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 5m, repeat_interval: 24h}
receivers:
  - name: hook
    webhook_configs: [{url: '${url}', send_resolved: false}]
`
}
