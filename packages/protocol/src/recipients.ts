/** Who is told. */
import type { Recipient } from './records.ts'
import { kindsOf, meshRecords } from './sorted-records.ts'
import type { State } from './state.ts'
import { recipientIdOf } from './wire/names.ts'

/** A memo: it goes with the records that it was made from. */
const memo = new WeakMap<object, readonly Recipient[]>()

/** The recipients in force, by name: added and not taken back since. */
export function recipientsOf(state: Pick<State, 'records'>): readonly Recipient[] {
  const kinds = kindsOf(state)
  const known = memo.get(kinds) ?? listRecipients(state)
  memo.set(kinds, known)
  return known
}

function listRecipients(state: Pick<State, 'records'>): readonly Recipient[] {
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
