/**
 * A device's answer to a notice, on its answer topic: signed by the device, sealed to the mesh.
 *
 * The content is the canonical `{i: incident ids, k: "delivered", t: transition, v: 1}`.
 */
import { decodeCanonical, encodeCanonical, type IncidentId, ProtocolError, type Transition } from '@muster/protocol'
import { z } from 'zod'

/** What a device says of a notice that it has shown. */
export interface Answer {
  readonly kind: 'delivered'
  readonly incidents: readonly IncidentId[]
  readonly transition: Transition
}

const ANSWER_BYTES_MAX = 32 * 1024

const schema = z.strictObject({
  v: z.literal(1),
  k: z.literal('delivered'),
  i: z
    .array(z.string().regex(/^[0-9a-f]{32}$/))
    .min(1)
    .max(256),
  t: z.custom<Transition>(
    (value) => typeof value === 'string' && /^(fired|worse|resolved|reminder-\d{1,6})$/.test(value),
  ),
})

/** The content to seal. */
export function encodeAnswer({ incidents, transition }: Answer): Uint8Array {
  return encodeCanonical({ v: 1, k: 'delivered', i: incidents.slice(0, 256), t: transition })
}

/** Reads an opened answer. Throws a `ProtocolError` when it is none. */
export function decodeAnswer(content: Uint8Array): Answer {
  const parsed = schema.safeParse(decodeCanonical(content, ANSWER_BYTES_MAX))
  if (!parsed.success) throw new ProtocolError('malformed', 'not an answer of a device')
  return { kind: 'delivered', incidents: parsed.data.i, transition: parsed.data.t }
}
