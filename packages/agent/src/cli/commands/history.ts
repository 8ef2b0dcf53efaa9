/** `muster history`: what happened, from the agent, or from this host's own store when no agent runs. */
import type { HistoryEntryView, HistoryView } from '../../api/shapes.ts'
import { findAgent } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { historyLines } from '../history-text.ts'
import { duration, wholeNumber } from '../options.ts'
import type { Context } from '../surroundings.ts'

/** Options of `muster history`. */
interface HistoryOptions {
  readonly host?: string
  readonly check?: string
  readonly since?: string
  readonly limit: string
  readonly all?: boolean
}

/** Entries that are asked for: changes are rare among them. */
const ENTRIES = 5_000
const LINES_MAX = 100_000

/** Prints it, oldest first. */
export async function history(context: Context, options: HistoryOptions): Promise<number> {
  const limit = wholeNumber(options.limit, '--limit', 1, LINES_MAX)
  const since = options.since === undefined ? undefined : Date.now() - (await duration(options.since, '--since'))
  const view = await readHistory(context, options, since)
  if (context.json) {
    context.print(view)
    return EXIT.done
  }
  const lines = historyLines(view, { limit, all: options.all === true, nowUnixMs: Date.now() })
  if (lines.length === 0) context.line('Nothing is known yet.')
  for (const line of lines) context.line(line)
  return EXIT.done
}

async function readHistory(context: Context, options: HistoryOptions, since: number | undefined): Promise<HistoryView> {
  const query = new URLSearchParams({ limit: String(ENTRIES) })
  if (options.host !== undefined) query.set('host', options.host)
  if (options.check !== undefined) query.set('check', options.check)
  if (since !== undefined) query.set('since', String(Math.max(0, Math.round(since))))
  try {
    return await (await findAgent(context)).get<HistoryView>(`/api/v1/history?${query}`)
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'no-agent') throw error
  }
  return await readOffline(context, options, since)
}

async function readOffline(
  context: Context,
  { host, check }: HistoryOptions,
  since: number | undefined,
): Promise<HistoryView> {
  const { openOffline } = await import('../offline-store.ts')
  const { viewEntry } = await import('../../api/history-view.ts')
  const { viewHosts } = await import('../../api/host-views.ts')
  const { viewIncidents } = await import('../../api/incident-views.ts')
  const { readMissedIncidents } = await import('../../api/missed-incidents.ts')
  const store = await openOffline(context.folder)
  try {
    const hosts = viewHosts(store.state).filter(({ id, name }) => host === undefined || id === host || name === host)
    if (hosts.length === 0) throw new CliError('no-such-host', EXIT.usage, `no host is called ${host ?? ''}`)
    const entries: HistoryEntryView[] = []
    for (const { id } of hosts) {
      const query = { host: id, limit: ENTRIES, ...(since === undefined ? {} : { sinceUnixMs: since }) }
      for await (const entry of store.history(query)) {
        const view = viewEntry(store.state, entry, check)
        if (view !== null) entries.push(view)
      }
    }
    const ids = new Set(hosts.map(({ id }) => id))
    const missed = await readMissedIncidents(store.state, store.returnOf)
    const incidents = viewIncidents(store.state, missed).filter(
      (incident) => ids.has(incident.host) && (check === undefined || incident.check === check),
    )
    return { entries: entries.sort((a, b) => b.atUnixMs - a.atUnixMs), incidents, truncated: false }
  } finally {
    await store.close()
  }
}
