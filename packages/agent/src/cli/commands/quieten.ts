/** `muster ack`, `silence` and `maintenance`: quieten, with an end. */
import { userInfo } from 'node:os'
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { quietFor } from '../options.ts'
import { counted, plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'
import { zonedText } from '../time-text.ts'

/** Answers for an incident. */
export async function ack(context: Context, incident: string, options: { readonly by?: string }): Promise<number> {
  const by = plain(options.by ?? userName(), 64)
  const answer = await (await findAgent(context)).change<{ incident: string; state: 'firing' | 'resolved' }>(
    'POST',
    '/api/v1/acks',
    { incident, by },
  )
  if (context.json) context.print(answer)
  else {
    const id = answer.incident.slice(0, 8)
    const what = answer.state === 'resolved' ? 'it has ended already' : 'no more reminders; its end will be told'
    context.line(`${id} is acknowledged by ${by}: ${what}.`)
  }
  return EXIT.done
}

/** Silences an incident, a host or a check. */
export async function silence(context: Context, matcher: string, options: { readonly for: string }): Promise<number> {
  const forMs = await quietFor(options.for)
  const answer = await (await findAgent(context)).change<{
    matcher: string
    untilUnixMs: number
    matches: number
    warnings: readonly string[]
  }>('POST', '/api/v1/silences', { matcher, forMs })
  if (context.json) context.print(answer)
  else {
    const now = answer.matches === 0 ? 'nothing open matches it now' : `${counted(answer.matches, 'open incident')} now`
    const until = zonedText(answer.untilUnixMs, Date.now())
    // A host's whole id begins like all others: it is called as it was written.
    const what = answer.matcher.startsWith('12D3KooW') ? matcher : answer.matcher
    context.line(`${plain(what, 20)} is silenced until ${until} (${now}).`)
    for (const warning of answer.warnings) context.err(`muster: ${plain(warning, 300)}\n`)
  }
  return EXIT.done
}

/** Excuses a host. */
export async function maintenance(context: Context, host: string, options: { readonly for: string }): Promise<number> {
  const forMs = await quietFor(options.for)
  const answer = await (await findAgent(context)).change<{ host: string; untilUnixMs: number }>(
    'POST',
    '/api/v1/maintenances',
    { host, forMs },
  )
  if (context.json) context.print(answer)
  else
    context.line(
      `${plain(host, 64)} is in maintenance until ${zonedText(answer.untilUnixMs, Date.now())}: nobody is told of it.`,
    )
  return EXIT.done
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user without an entry in the system's list, as in many containers.
    return 'somebody'
  }
}
