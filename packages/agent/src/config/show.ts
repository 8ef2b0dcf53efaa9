/**
 * The config as it works, for a person: defaults filled in, nothing secret in it.
 */
import { type CheckConfig, type CheckDefinition, findKind, formatDuration, isSecretReference } from '@muster/checks'
import { stringify } from 'yaml'
import type { LoadedConfig } from './load.ts'

/** What stands in the place of a secret that was written into the config itself. */
export const HIDDEN = '(hidden)'

const SECRET_KEY = /pass(word|wd|phrase)?$|token|secret|authorization|cookie|credential|api[-_]?key|private[-_]?key/i

/**
 * The working config in the form of `muster.yaml`: what is printed can be read again.
 *
 * `env:` and `file:` references stay as written and are never resolved. Texts under a key that sounds secret, passwords in
 * URLs and secret-sounding query parameters are hidden.
 */
export function shownConfig({ config, writtenChecks }: LoadedConfig): Readonly<Record<string, unknown>> {
  const { host, tags, swarm, presence, checks, waku, notify, api } = config
  const { host: address, port } = api.listen
  return {
    host,
    tags,
    swarm,
    presence: {
      every: formatDuration(presence.everyMs),
      grace: formatDuration(presence.graceMs),
      sleeps: presence.sleeps,
      restart: formatDuration(presence.restartMs),
    },
    checks: writtenChecks.map((written, index) => redacted({ ...filledIn(checks[index], written), ...written })),
    waku,
    notify: { remind: formatDuration(notify.remindMs) },
    api: { listen: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}` },
  }
}

/** The same as YAML text. */
export function showConfig(loaded: LoadedConfig): string {
  return stringify(shownConfig(loaded), { lineWidth: 0, aliasDuplicateObjects: false })
}

function filledIn(check: CheckDefinition | undefined, written: CheckConfig): Partial<CheckConfig> {
  if (check === undefined) return {}
  const { name, kind, everyMs, graceMs, after, recover, forMs, heartbeat } = check.spec
  const { warning, critical } = findKind(kind)?.defaults ?? {}
  const hasOwnConditions = written.warning !== undefined || written.critical !== undefined
  return {
    name,
    kind,
    every: formatDuration(everyMs),
    grace: formatDuration(graceMs),
    timeout: formatDuration(check.timeoutMs),
    after,
    recover,
    for: formatDuration(forMs),
    heartbeat: heartbeat === 'always' ? heartbeat : heartbeat === 'awake',
    ...check.options,
    ...(hasOwnConditions || warning === undefined ? {} : { warning }),
    ...(hasOwnConditions || critical === undefined ? {} : { critical }),
  }
}

function redacted(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return redactedText(value, key)
  if (Array.isArray(value)) return value.map((item) => redacted(item, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      // A map under a secret key (headers of `authorization`) hides all that it holds.
      .map(([name, held]) => [name, redacted(held, SECRET_KEY.test(key) ? key : name)]),
  )
}

function redactedText(text: string, key: string): string {
  if (isSecretReference(text)) return text
  if (SECRET_KEY.test(key)) return HIDDEN
  return text
    .replace(/(?<=^[a-z][a-z0-9+.-]*:\/\/)[^/?#@\s]*@/i, `${HIDDEN}@`)
    .replace(/([?&]([^=&#\s]*)=)[^&#\s]*/g, (all, start: string, name: string) =>
      SECRET_KEY.test(name) ? `${start}${HIDDEN}` : all,
    )
}
