/** One record of each kind, of fixed values, for golden bytes and as a start for changed ones. */
import type { Digest } from '../event.ts'
import type { Result, SignedAs } from '../wire/records.ts'

/** The mesh of the fixed records. */
export const MESH = 'aa'.repeat(16)
/** Another mesh. */
export const OTHER_MESH = 'bb'.repeat(16)

/** Well-formed host ids of no real key. `digit` is any base58 character. */
export function hostIdOf(digit: string): string {
  return `12D3KooW${digit.repeat(44)}`
}

const VPS = hostIdOf('v')
const LAPTOP = hostIdOf('L')
const SERVER = hostIdOf('s')

const CID = `bafyrei${'a2'.repeat(26)}`
const life = { incarnation: 7, epoch: 1 }

function signed<D extends string, B>(domain: D, signer: string, body: B, fill: number) {
  return { domain, version: 1, mesh: MESH, signer, body, signature: new Uint8Array(64).fill(fill) }
}

const heartbeat: SignedAs<'heartbeat'> = signed(
  'heartbeat',
  VPS,
  {
    life,
    beat: 4_711,
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    mode: 'up',
    restartMs: 300_000,
    head: { incarnation: 7, seq: 12, cid: CID },
    observers: [LAPTOP, SERVER],
    wakuAgeMs: 1_250,
    sets: '00c0ffee0badcafe',
    nonce: 'LLLLLLLL-3-9f86d081',
  },
  1,
)

const vote: SignedAs<'vote'> = signed(
  'vote',
  SERVER,
  { subject: VPS, life, beat: 4_711, ageMs: 13_042, round: 1, evidence: heartbeat },
  2,
)

const verdict: SignedAs<'verdict'> = signed(
  'verdict',
  LAPTOP,
  {
    subject: VPS,
    life,
    beat: 4_711,
    ageMs: 15_104,
    fault: 'silent',
    observers: 2,
    votes: [vote],
    alone: false,
    evidence: heartbeat,
    heardUnixMs: 1_795_000_000_000,
    outages: 1,
  },
  3,
)

const result: Result = {
  check: 'disk',
  kind: 'disk',
  status: 'warning',
  judgement: 'warning',
  episode: 2,
  values: { free_percent: 9.5, total_bytes: 256_000_000_000, path: '/', read_only: false },
  text: '9.5 % free on / – größer wäre besser',
  because: 'free_percent < 10: 9.5 < 10: yes',
  durationMs: 3,
  everyMs: 60_000,
  graceMs: 30_000,
  heartbeat: 'awake',
  atUnixMs: 1_795_000_000_500,
}

const late: Result = {
  ...result,
  check: 'backup',
  kind: 'push',
  status: 'late',
  judgement: null,
  values: {},
  text: 'has not reported yet',
  because: 'no report within 90 s',
  heartbeat: 'always',
}

const entry: SignedAs<'entry'> = signed(
  'entry',
  VPS,
  { life, seq: 13, previous: CID, atUnixMs: 1_795_000_001_000, results: [result, late], retired: ['load'] },
  4,
)

const notice: SignedAs<'notice'> = signed(
  'notice',
  LAPTOP,
  {
    step: 'claim',
    incidents: ['cd'.repeat(16)],
    transition: 'reminder-2',
    recipient: 'ef'.repeat(16),
    attempt: 3_000_001,
  },
  5,
)

const atUnixMs = 1_795_000_002_000
const meshBodies = {
  member: {
    kind: 'member',
    name: 'vps-1',
    addresses: ['/dns4/vps-1.example.org/tcp/4650'],
    wakuAddresses: ['/dns4/vps-1.example.org/tcp/4652/ws'],
    everyMs: 10_000,
    graceMs: 5_000,
    sleeps: false,
    certificate: new Uint8Array([0xa6, 0x61, 0x62]),
    serial: 1,
  },
  leave: { kind: 'leave', life },
  recipient: { kind: 'recipient', name: 'phone', publicKey: new Uint8Array(33).fill(2), atUnixMs },
  'recipient-removed': { kind: 'recipient-removed', record: '0123456789abcdef'.repeat(2), atUnixMs },
  ack: { kind: 'ack', incident: 'cd'.repeat(16), by: 'phone', atUnixMs },
  silence: { kind: 'silence', matcher: 'vps-1/disk*', forMs: 7_200_000, atUnixMs },
  maintenance: { kind: 'maintenance', host: VPS, forMs: 3_600_000, atUnixMs },
} as const

const meshRecord = (kind: keyof typeof meshBodies): SignedAs<'record'> => signed('record', VPS, meshBodies[kind], 6)

/** The fixed records by name: each domain, and each kind of mesh record. */
export const fixedRecords = {
  heartbeat,
  vote,
  verdict,
  entry,
  notice,
  member: meshRecord('member'),
  leave: meshRecord('leave'),
  recipient: meshRecord('recipient'),
  'recipient-removed': meshRecord('recipient-removed'),
  ack: meshRecord('ack'),
  silence: meshRecord('silence'),
  maintenance: meshRecord('maintenance'),
} as const

/** A fixed digest. */
export const fixedDigest: Digest = {
  heads: { [VPS]: { incarnation: 7, seq: 13, cid: CID }, [LAPTOP]: { incarnation: 3, seq: 1, cid: CID } },
  records: ['0123456789abcdef'.repeat(2), 'ff'.repeat(16)],
}
