/**
 * The `muster.yaml` that `init` and `join` write: short, commented, and good to run as it is.
 */
import { HOST_NAME_PATTERN } from '../identity/certificate.ts'

/** What the text depends on. */
export interface InitialConfig {
  /** A host name: see `hostNameOf`. */
  readonly host: string
  /** Ports that are free. */
  readonly ports: { readonly swarm: number; readonly waku: number; readonly api: number }
  /** Multiaddrs of other hosts: none on the first. */
  readonly peers?: readonly string[]
}

/** The text of the first config. Pure: the same input, the same text. */
export function initialConfig({ host, ports, peers = [] }: InitialConfig): string {
  const next =
    peers.length === 0
      ? '# Next: muster run, then on another host: muster join --key swarm.key --peer ADDRESS (a copy of this swarm.key).'
      : '# Next: muster run, then: muster status.'
  return `# What this host tells the others about itself. Every key has a default; unknown keys are refused.
${next}
# After a change: muster config check, then muster config reload, which takes checks, tags, peers and nodes. All else takes
# a restart of the agent.

host: ${JSON.stringify(host)}

swarm:
  listen: [/ip4/0.0.0.0/tcp/${ports.swarm}]
  peers: [${peers.join(', ')}]   # for example /dns4/vps-1.example.org/tcp/4650; any one that answers is enough

# How often this host answers the roll, and how late it may be. A laptop says sleeps: true, and its closed lid wakes nobody.
presence: {every: 10s, grace: 5s, sleeps: false, restart: 5m}

# What to look at: muster check kinds lists what there is, muster check run NAME tries one.
checks:
  - {name: cpu, kind: cpu}
  - {name: memory, kind: memory}
  - {name: load, kind: load}
  - {name: disk, kind: disk, path: /, every: 1m, warning: free_percent < 10, critical: free_percent < 5 || read_only}
  # - {name: site, kind: http, url: "https://example.org/health", every: 30s, critical: status != 200 || duration_ms > 2000}
  # - {name: backup, kind: push, every: 1d, grace: 1h, heartbeat: always}   # then: muster exec backup -- CMD

# The road to your devices: this host serves them itself.
waku:
  serve: true
  listen: [/ip4/0.0.0.0/tcp/${ports.waku}/ws]
  nodes: []

notify: {remind: 4h}

api: {listen: 127.0.0.1:${ports.api}}
`
}

/** A host name made of the machine's name: its first label, without what a host name must not hold. */
export function hostNameOf(machineName: string): string {
  const [label = ''] = machineName.split('.')
  const name = label
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[_-]+/, '')
    .slice(0, 63)
  return HOST_NAME_PATTERN.test(name) ? name : 'host'
}
