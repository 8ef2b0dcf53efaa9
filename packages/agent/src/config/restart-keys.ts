/** What a running agent cannot swap: a change of it takes a restart. All else is taken by `config reload`. */
import type { Config } from './load.ts'

/** By key, or by section where all of it is meant: what is compared. */
const RESTART_KEYS: Readonly<Record<string, (config: Config) => unknown>> = {
  host: ({ host }) => host,
  'swarm.listen': ({ swarm }) => swarm.listen,
  presence: ({ presence }) => presence,
  'notify.remind': ({ notify }) => notify.remindMs,
  'waku.listen': ({ waku }) => waku.listen,
  'waku.serve': ({ waku }) => waku.serve,
  'api.listen': ({ api }) => api.listen,
}

/** The keys in which two configs differ so that it takes a restart. */
export function restartKeysBetween(before: Config, after: Config): readonly string[] {
  return Object.entries(RESTART_KEYS)
    .filter(([, part]) => JSON.stringify(part(before)) !== JSON.stringify(part(after)))
    .map(([key]) => key)
}

/** Whether a change of this key of `muster.yaml` takes a restart. */
export function takesRestart(key: string): boolean {
  return Object.keys(RESTART_KEYS).some((each) => key === each || key.startsWith(`${each}.`))
}
