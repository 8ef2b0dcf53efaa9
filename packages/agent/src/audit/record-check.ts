/**
 * One record from a store: does it read, did its signer sign it, and those who signed what is inside?
 *
 * Whether the mesh vouches for a signer is asked once for each host, not for each record: a signature is checked by the key
 * in the host's id.
 */
import {
  type AnySigned,
  bytesToSignOf,
  decodeEnvelope,
  nestedOf,
  ProtocolError,
  parseRecord,
  type SignedAs,
  shortHostId,
  wireLimits,
} from '@muster/protocol'
import { CERTIFICATE_BYTES_MAX, type CertificateBook, verifyCertificate } from '../identity/certificate.ts'
import { verifyLater } from '../identity/host-key.ts'
import { meshIdOf } from '../identity/mesh-key.ts'
import { type Fault, type FaultKind, faultOf } from './finding.ts'

/** A record and what is wrong with it. One that does not read is null, and always has a fault. */
export interface CheckedRecord {
  readonly record: AnySigned | null
  readonly fault: Fault | null
}

/** Checks records, and fills a book with the certificates that they bring. */
export interface RecordCheck {
  /** Takes the certificate that a record brings, if it is genuine. */
  learn(bytes: Uint8Array): void
  check(bytes: Uint8Array): Promise<CheckedRecord>
}

/** Makes the check of one mesh, whose key is that of the book. */
export function createRecordCheck(book: CertificateBook): RecordCheck {
  const mesh = meshIdOf(book.meshPublicKey)
  const parse = (bytes: Uint8Array): AnySigned => parseRecord(bytes, { mesh, bytesMax: wireLimits.recordBytes })

  /** Null when the certificate inside is genuine and its signer's own. */
  function certificateFault({ signer, body }: SignedAs<'record'>): Fault | null {
    if (body.kind !== 'member') return null
    try {
      const envelope = decodeEnvelope(body.certificate, CERTIFICATE_BYTES_MAX)
      const { host, name } = verifyCertificate(envelope, book.meshPublicKey).body
      if (host === signer && name === body.name) return null
      return faultOf('uncertified', 'its certificate is of another host or name')
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return faultOf('uncertified', `its certificate is not genuine: ${error.message}`)
    }
  }

  async function signatureFault(record: AnySigned): Promise<Fault | null> {
    const parts = [record, ...nestedOf(record)]
    const genuine = await Promise.all(
      parts.map((part) => verifyLater(part.signer, bytesToSignOf(part as AnySigned), part.signature)),
    )
    const wrong = parts.find((_, index) => genuine[index] !== true)
    if (wrong === undefined) return null
    const whose = wrong === record ? '' : ` of a ${wrong.domain} inside it, by ${shortHostId(wrong.signer)},`
    return faultOf('forged', `the signature${whose} is not that of its signer`)
  }

  return {
    learn(bytes) {
      try {
        const record = parse(bytes)
        if (record.domain !== 'record' || record.body.kind !== 'member' || certificateFault(record) !== null) return
        book.admit(decodeEnvelope(record.body.certificate, CERTIFICATE_BYTES_MAX))
      } catch (error) {
        // It is told as what it is when it is checked.
        if (!(error instanceof ProtocolError)) throw error
      }
    },
    async check(bytes) {
      let record: AnySigned
      try {
        record = parse(bytes)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        return { record: null, fault: faultOf(KINDS[error.code] ?? 'malformed', error.message) }
      }
      const certificate = record.domain === 'record' ? certificateFault(record) : null
      return { record, fault: certificate ?? (await signatureFault(record)) }
    },
  }
}

const KINDS: Readonly<Record<string, FaultKind>> = { 'newer-version': 'newer-version', 'other-mesh': 'other-mesh' }
