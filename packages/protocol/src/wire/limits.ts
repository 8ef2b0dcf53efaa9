/** Every bound of what is read from the wire, with its unit and its reason. What an honest member sends stays inside. */
import { limits } from '../limits.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const DAY = 24 * HOUR

/** The bounds of records, frames and digests. */
export const wireLimits = {
  /** Bytes of one frame: what gossip and directed streams take (`maxInboundDataLength` of the swarm). */
  frameBytes: 64 * 1024,
  /** Records of one frame: a heartbeat and its riders are 17, the rest lets catch-up fill a frame with small records. */
  frameRecords: 256,
  /** Bytes of one record: it has to fit into a frame with its age and its length around it. */
  recordBytes: 64 * 1024 - 64,
  /** Bytes of one digest: 1,200 heads of about 125 bytes and 4,096 ids of 16 bytes. */
  digestBytes: 256 * 1024,
  digestHeads: limits.members,
  digestRecords: limits.records,
  /** Bytes of the sha256 prefix that a record's id is. */
  recordIdBytes: 16,
  /** The age of a carried record, milliseconds. Older ones expire anyway; one hour lets two clocks disagree about "48 h". */
  carriedAgeMs: limits.historyMs + HOUR,

  /** Bytes of an Ed25519 signature. */
  signatureBytes: 64,
  /** Bytes of a compressed secp256k1 public key. */
  recipientKeyBytes: 33,
  /** Bytes of a host's certificate (about 330). */
  certificateBytes: 1_024,

  /** Incarnations and epochs stay below: an attempt's number is the incarnation times a million, and must stay exact. */
  incarnation: 2 ** 32 - 1,
  /** Observers that a host may list: twice of what this release lists, so that the number can grow. */
  observers: 2 * limits.observers,
  /** Votes inside a verdict: by the listed observers and by those that replace them. */
  votes: 3 * limits.observers,
  /** How many may have voted. */
  voters: 64,
  /** Outages counted within ten minutes: one a second is more than a host can have. */
  outages: 600,
  /** The age of the newest evidence in a vote or verdict, milliseconds: who was away from a mesh for a year rejoins. */
  evidenceAgeMs: 366 * DAY,
  /** The presence class, milliseconds: below, ticks are too coarse; above, a host could keep others quiet for days. */
  presenceMsMin: 100,
  presenceMsMax: DAY,

  /** Results of one entry, as its host gathers them. */
  results: limits.entryResults,
  /** Checks retired by one entry: all of them. */
  retired: limits.checks,
  /** Values of one result, and the characters of their names and of a text value. Kinds keep half as many values. */
  values: 64,
  valueNameChars: 64,
  valueChars: 200,
  /** Characters of the one line of a result, and of the reason for its status. */
  textChars: 200,
  /** The period of a check, milliseconds: backups come yearly at most. */
  checkMsMin: 100,
  checkMsMax: 366 * DAY,
  /** Characters of the name of a check, of its kind, a recipient or a person. */
  nameChars: 64,

  /** Ids (aliases included) that one notice record lists: a mass death of every remembered incident. */
  noticeIncidents: limits.incidents,
  /** Addresses of one kind that a member may announce, and the characters of one: a relayed one holds two ids. */
  addresses: 16,
  addressChars: 256,
  /** Characters of a silence's matcher: a host's name, a check's name, and stars. */
  matcherChars: 200,
  /** How long a silence or a maintenance may last, milliseconds. Quiet has an end. */
  quietMs: 366 * DAY,
  /** Characters of a probe's nonce: an id's end, an incarnation, 32 bits. */
  nonceChars: 64,
  /** The range of a wall clock, milliseconds either side of 1970 (a clock that was never set may show 1969). ECMA-262. */
  unixMs: 8.64e15,
} as const
