/** `muster hosts`. */
import type { HostView } from '../../api/shapes.ts'
import { findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { fitted, plain } from '../plain-text.ts'
import { answerOf } from '../status-text.ts'
import type { Context } from '../surroundings.ts'
import { ageText } from '../time-text.ts'

/** Prints each host with its id and its addresses. */
export async function hosts(context: Context): Promise<number> {
  const { hosts: all } = await (await findAgent(context)).get<{ hosts: readonly HostView[] }>('/api/v1/hosts')
  if (context.json) {
    context.print({ hosts: all })
    return EXIT.done
  }
  const width = Math.max(4, ...all.map(({ name }) => [...plain(name, 63)].length))
  for (const host of all) {
    const age = host.isSelf ? 'this host' : host.ageMs === null ? 'never heard' : ageText(host.ageMs)
    const road = host.reach === 'relayed' ? ', through another host' : ''
    context.line(`${fitted(plain(host.name, 63), width)}  ${fitted(answerOf(host), 10)}  ${age}${road}`)
    context.line(`${' '.repeat(width)}  ${plain(host.id, 80)}`)
    for (const address of host.addresses) context.line(`${' '.repeat(width)}  ${plain(address, 160)}`)
  }
  return EXIT.done
}
