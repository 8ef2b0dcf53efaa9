/**
 * Bytes from a peer to a record that the core may reason about.
 *
 * What passes here is well formed, bounded and of our mesh, down to the records nested in it. Whether its signer signed
 * it, and is a member, is for the shell to ask, of the record and of each of `nestedOf`.
 */
import type { z } from 'zod'
import { ProtocolError } from '../errors.ts'
import type { HostId, MeshId } from '../ids.ts'
import { decodeEnvelope, readEnvelope, type Signed } from './envelope.ts'
import { wireLimits } from './limits.ts'
import type { AnySigned, Bodies, Domain, SignedAs } from './records.ts'
import { entryBody, heartbeatBody, hostId, meshRecordBody, noticeBody, verdictBody, voteBody } from './schemas.ts'

/** What a record has to fit. */
export interface ParseOptions {
  readonly mesh: MeshId
  /** More bytes than this are not read. */
  readonly bytesMax: number
}

/**
 * Reads a record. Its signature, and those of the records inside it, are still to be checked.
 *
 * Throws a `ProtocolError`: `too-large`, `malformed`, `not-canonical`, `newer-version` or `other-mesh`.
 */
export function parseRecord(bytes: Uint8Array, { mesh, bytesMax }: ParseOptions): AnySigned {
  const envelope = decodeEnvelope(bytes, bytesMax)
  checkHeader(envelope, mesh)
  switch (envelope.domain) {
    case 'heartbeat':
    case 'vote':
    case 'verdict':
    case 'entry':
    case 'notice':
    case 'record':
      return {
        ...envelope,
        domain: envelope.domain,
        body: parseBody[envelope.domain](envelope.body, mesh),
      } as AnySigned
    default:
      throw new ProtocolError('malformed', 'a record of no known domain')
  }
}

const parseBody: { readonly [D in Domain]: (body: unknown, mesh: MeshId) => Bodies[D] } = {
  heartbeat: (body) => parseWith(heartbeatBody, body, 'heartbeat'),
  vote: (body, mesh) => {
    const vote = parseWith(voteBody, body, 'vote')
    return { ...vote, evidence: readEvidence(vote.evidence, vote.subject, mesh) }
  },
  verdict: (body, mesh) => {
    const verdict = parseWith(verdictBody, body, 'verdict')
    const votes = verdict.votes.map((value) => readNested(value, 'vote', mesh))
    for (const vote of votes) {
      if (vote.body.subject !== verdict.subject) throw new ProtocolError('malformed', 'a vote on another host')
    }
    return { ...verdict, votes, evidence: readEvidence(verdict.evidence, verdict.subject, mesh) }
  },
  entry: (body) => parseWith(entryBody, body, 'entry'),
  notice: (body) => parseWith(noticeBody, body, 'notice'),
  record: (body) => parseWith(meshRecordBody, body, 'record'),
}

/** Evidence is a heartbeat of the very host that is spoken of, or nothing. */
function readEvidence(value: unknown, subject: HostId, mesh: MeshId): SignedAs<'heartbeat'> | null {
  if (value === null) return null
  const evidence = readNested(value, 'heartbeat', mesh)
  if (evidence.signer !== subject) throw new ProtocolError('malformed', 'evidence of another host')
  return evidence
}

function readNested<D extends 'heartbeat' | 'vote'>(value: unknown, domain: D, mesh: MeshId): SignedAs<D> {
  const envelope = readEnvelope(value)
  checkHeader(envelope, mesh)
  if (envelope.domain !== domain) throw new ProtocolError('malformed', `not a ${domain} where one belongs`)
  return { ...envelope, domain, body: parseBody[domain](envelope.body, mesh) } as SignedAs<D>
}

function checkHeader({ mesh, signer, signature }: Signed<unknown>, ours: MeshId): void {
  if (mesh !== ours) throw new ProtocolError('other-mesh', 'a record of another mesh')
  if (!hostId.safeParse(signer).success) throw new ProtocolError('malformed', 'its signer is no host')
  if (signature.byteLength !== wireLimits.signatureBytes) {
    throw new ProtocolError('malformed', `a signature has ${wireLimits.signatureBytes} bytes`)
  }
}

/**
 * Parses with a schema. `what` names the thing in the message, which holds no text of the peer's but the (cleaned) path.
 *
 * Throws a `ProtocolError` `malformed`.
 */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = (issue?.path ?? [])
    .join('.')
    .slice(0, PATH_CHARS)
    .replace(/[^\w.-]/gu, '?')
  throw new ProtocolError('malformed', `${what}: ${issue?.code ?? 'invalid'} at ${path === '' ? 'its top' : path}`)
}

const PATH_CHARS = 80
