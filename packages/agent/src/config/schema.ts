/**
 * `muster.yaml`, as a schema: what may be written, what it means, and what holds when nothing is.
 *
 * The same schema reads the file, makes the JSON Schema for editors and the pages in `docs/`.
 * What may be written in a check is decided by `@muster/checks`.
 */
import { isIPv6 } from 'node:net'
import { checksSchema, formatDuration, parseDuration } from '@muster/checks'
import { z } from 'zod'
import { HOST_NAME_PATTERN } from '../identity/certificate.ts'
import { type AddressUse, type Endpoint, multiaddrFault, parseEndpoint, portOf } from './addresses.ts'
import { quote } from './errors.ts'

/** Entries of any other list. */
const LIST_MAX = 64
const SECOND_MS = 1000
const DAY_MS = 24 * 60 * 60 * SECOND_MS

/** What an issue of ours says beyond its message, for the one who explains it. */
export interface IssueHints {
  /** What to write instead. */
  readonly remedy?: string
  /** Where in the text value the fault is, in characters from 0. */
  readonly offset?: number
}

function fault(context: z.core.$RefinementCtx, input: unknown, message: string, hints: IssueHints): void {
  context.issues.push({ code: 'custom', input, message, params: { ...hints } })
}

/** A duration within bounds, as whole milliseconds. `reason` says why the bounds are what they are. */
function duration(meaning: string, leastMs: number, mostMs: number, reason: string) {
  // The words belong to the text: JSON Schema drops the examples of what is converted.
  return z
    .string()
    .meta({ description: meaning, examples: ['10s', '5m', '1h30m', '1d'] })
    .transform((text, context): number => {
      const ms = readDuration(text, context)
      if (ms >= leastMs && ms <= mostMs) return ms
      if (Number.isNaN(ms)) return z.NEVER
      const edge = ms < leastMs ? 'short' : 'long'
      const remedy = `write ${formatDuration(leastMs)} to ${formatDuration(mostMs)}: ${reason}`
      fault(context, text, `${quote(text)} is too ${edge}`, { remedy })
      return z.NEVER
    })
}

function readDuration(text: string, context: z.core.$RefinementCtx): number {
  try {
    return parseDuration(text)
  } catch (error) {
    const said = error instanceof Error ? error.message : ''
    const remedy = said.split('; ').slice(1).join('; ') || 'write for example 10s, 5m, 1h30m or 1d'
    fault(context, text, `${quote(text)} is not a duration`, { remedy })
    return Number.NaN
  }
}

function multiaddrs(meaning: string, use: AddressUse) {
  const address = z.string().superRefine((text, context) => {
    const found = multiaddrFault(text, use)
    if (found !== undefined) fault(context, text, `${quote(text)} ${found.what}`, { remedy: found.remedy })
  })
  const example = use === 'listen' ? '/ip4/0.0.0.0/tcp/4650' : '/dns4/vps-1.example.org/tcp/4650'
  return z
    .array(address)
    .max(LIST_MAX)
    .meta({ description: meaning, examples: [[example]] })
}

const hostName = z
  .string()
  .superRefine((text, context) => {
    if (HOST_NAME_PATTERN.test(text)) return
    const remedy = 'write 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit'
    fault(context, text, `${quote(text)} is not a host name`, { remedy })
  })
  .meta({ description: 'What people call this host. Unique in the mesh. Without it: the name of the machine.' })

const tag = z.string().superRefine((text, context) => {
  if (/^[\p{L}\p{N}][\p{L}\p{N}._/-]{0,62}$/u.test(text)) return
  fault(context, text, `${quote(text)} is not a tag`, {
    remedy: 'write a word of at most 63 letters, digits, ".", "_", "-" or "/"',
  })
})

const swarm = z
  .strictObject({
    listen: multiaddrs('Where peers reach this host. An empty list: it only dials out.', 'listen').default([
      '/ip4/0.0.0.0/tcp/4650',
    ]),
    peers: multiaddrs('Where to find the others. Any one that answers is enough.', 'dial').default([]),
  })
  .meta({ description: 'The private network between the hosts.' })

const presence = z
  .strictObject({
    every: duration(
      'How often this agent answers the roll.',
      SECOND_MS,
      DAY_MS,
      'faster than a second is mostly noise, and a day without a sign is no watch',
    ).prefault('10s'),
    grace: duration(
      'How much later than `every` an answer may come before the others ask around.',
      SECOND_MS,
      DAY_MS,
      'with less, one lost packet would make a verdict; with more, nobody would be told',
    ).prefault('5s'),
    sleeps: z
      .boolean()
      .default(false)
      .meta({ description: 'This host may sleep (a laptop): its silence wakes nobody.' }),
    restart: duration(
      'How long this host may be away after an orderly stop.',
      SECOND_MS,
      DAY_MS,
      'a restart takes seconds to hours',
    ).prefault('5m'),
  })
  .meta({ description: 'The built-in check: this agent answers.' })

const waku = z
  .strictObject({
    serve: z.boolean().default(true).meta({ description: "Be a Waku service node for the owner's devices." }),
    listen: multiaddrs('Where devices reach that node.', 'listen').default(['/ip4/0.0.0.0/tcp/4652/ws']),
    nodes: multiaddrs("External Waku nodes, besides the mesh's own.", 'dial').default([]),
  })
  .meta({ description: 'The road to the people who are told.' })

/** Roads for notices when Waku fails that this release knows of. None of them is built yet. */
export const FALLBACK_KINDS = ['webhook'] as const

const fallback = z.array(
  z.strictObject({
    kind: z.enum(FALLBACK_KINDS),
    url: z.string(),
    after: duration('', 0, DAY_MS, 'later than a day is no notice').optional(),
  }),
)

const notify = z
  .strictObject({
    remind: duration(
      'How often a notice is repeated while nobody has acknowledged it.',
      60 * SECOND_MS,
      30 * DAY_MS,
      'oftener than each minute is noise',
    ).prefault('4h'),
    fallback: fallback
      .superRefine((roads, context) => {
        if (roads.length === 0) return
        fault(context, roads, 'notify.fallback is not in this release', { remedy: 'remove it: notices go over Waku' })
      })
      .optional()
      .meta({ description: 'Not in this release: other roads for notices.' }),
  })
  .meta({ description: 'When recipients are told.' })

const api = z
  .strictObject({
    listen: z
      .string()
      .meta({
        description: 'Where the local API, the pings and the dashboard are. Keep it on loopback.',
        examples: ['127.0.0.1:4651'],
      })
      .transform((text, context) => {
        const endpoint = parseEndpoint(text)
        if ('port' in endpoint) return endpoint
        fault(context, text, `${quote(text)} ${endpoint.what}`, { remedy: endpoint.remedy })
        return z.NEVER
      })
      .prefault('127.0.0.1:4651'),
  })
  .meta({ description: 'The local API.' })

/** The schema of a whole config. `defaultHost` is the name of a host whose config gives none. */
export function configSchema(defaultHost: string) {
  return z
    .strictObject({
      host: hostName.prefault(defaultHost),
      tags: z
        .array(tag)
        .max(LIST_MAX)
        .default([])
        .meta({ description: 'Words to group hosts by.', examples: [['home']] }),
      swarm: swarm.prefault({}),
      presence: presence.prefault({}),
      checks: checksSchema.default([]).meta({ description: 'What to look at on this host.' }),
      waku: waku.prefault({}),
      notify: notify.prefault({}),
      api: api.prefault({}),
    })
    .superRefine(refuseSharedPorts)
}

interface Listeners {
  readonly swarm: { readonly listen: readonly string[] }
  readonly waku: { readonly serve: boolean; readonly listen: readonly string[] }
  readonly api: { readonly listen: Endpoint }
}

interface Listener {
  readonly path: PropertyKey[]
  readonly port: number
  /** The address that it is on, so that two may share a port on different ones. */
  readonly on: string
}

function refuseSharedPorts(config: Listeners, context: z.core.$RefinementCtx): void {
  const { swarm, waku, api } = config
  const listenersOf = (section: string, addresses: readonly string[]): readonly Listener[] =>
    addresses.map((address, index) => ({
      path: [section, 'listen', index],
      port: portOf(address),
      on: address.split('/').slice(1, 3).join('/'),
    }))
  const family = isIPv6(api.listen.host) ? 'ip6' : 'ip4'
  const listeners: readonly Listener[] = [
    ...listenersOf('swarm', swarm.listen),
    ...(waku.serve ? listenersOf('waku', waku.listen) : []),
    { path: ['api', 'listen'], port: api.listen.port, on: `${family}/${api.listen.host}` },
  ]
  for (const [index, { path, port, on }] of listeners.entries()) {
    const other = listeners.slice(0, index).find((before) => before.port === port && port !== 0 && clash(before.on, on))
    if (other === undefined) continue
    const message = `port ${port} is taken by ${other.path.slice(0, 2).join('.')} already`
    context.issues.push({ code: 'custom', input: port, path, message, params: { remedy: 'give each its own port' } })
  }
}

/** The same address, or one that stands for all. */
function clash(a: string, b: string): boolean {
  return a === b || [a, b].some((on) => on === 'ip4/0.0.0.0' || on === 'ip6/::')
}

/** The JSON Schema of a config, for editors and for `muster config schema`. */
export function configJsonSchema(defaultHost: string): z.core.JSONSchema.JSONSchema {
  const { $schema, ...schema } = z.toJSONSchema(configSchema(defaultHost), {
    io: 'input',
    unrepresentable: 'any',
  })
  return { ...($schema === undefined ? {} : { $schema }), title: 'muster.yaml', ...schema }
}
