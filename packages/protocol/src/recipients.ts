/** Who is told. */
import type { Recipient } from './records.ts'
import { meshRecords } from './records.ts'
import type { State } from './state.ts'
import { recipientIdOf } from './wire/names.ts'

/** The recipients in force, by name: added and not taken back since. */
export function recipientsOf(state: State): readonly Recipient[] {
  const removed = new Set<string>()
  for (const { body } of meshRecords(state, 'recipient-removed')) removed.add(body.record)
  const recipients = new Map<string, Recipient>()
  for (const { id, body } of meshRecords(state, 'recipient')) {
    if (removed.has(id)) continue
    const recipient = recipientIdOf(body.publicKey)
    recipients.set(recipient, { id: recipient, record: id, name: body.name, publicKey: body.publicKey })
  }
  return [...recipients.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
