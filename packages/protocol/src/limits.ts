/** Every bound of the core, with its unit and its reason. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The bounds of the core. Names that end in `Ms` are milliseconds, those in `Bytes` bytes, all others counts. */
export const limits = {
  /** Members of one mesh. Beyond it a newcomer is ignored: 1,000 hosts is what the protocol is computed for. */
  members: 1_200,
  /** Observers of one host, and the mesh size up to which everybody observes everybody. */
  observers: 8,
  observeAllUpTo: 9,
  /** Up to so many hosts each publishes straight to all others: one hop is cheaper than being late. */
  floodedHosts: 10,
  /** Votes that one verdict needs at most; fewer where fewer can vote. */
  votesNeeded: 3,
  /** Mergeable records held (verdicts, notices, mesh records). The oldest closed ones go first. */
  records: 4_096,
  /** Incidents remembered, the open ones included. */
  incidents: 512,
  /** Own checks: more than this on one host is a configuration mistake. */
  checks: 1_000,
  /** Newest results held of one host: twice its checks, so that a set of new names fits before the old ones are retired. */
  resultsOfHost: 2_000,
  /** Notice records that ride on one heartbeat, and for how long after they were learnt: a catch-up brings the older ones. */
  riders: 8,
  ridingMs: 15 * SECOND,
  /** Incidents that all riders of one heartbeat name together: bounds their bytes, for they share its frame. */
  riderIds: 256,
  /** How long a verdict, a notice record and a closed incident are remembered: as long as the history. */
  historyMs: 48 * HOUR,
  /** A silence of the shell longer than this is a gap of our own (suspend, stop, a stalled loop). */
  ownGapMs: 3 * SECOND,
  /** Relays asked to probe on our behalf. */
  probeRelays: 3,
  /** Peers of one catch-up round, and catch-ups under way at once: each would bring the same again. */
  roundPeers: 2,
  catchUpsAtOnce: 2,
  /** Heartbeats of hosts that came back which a catch-up carries. */
  returnedHeartbeats: 32,
  /** A catch-up that has not ended by then counts as ended. */
  catchUpMs: 10 * SECOND,
  /** One round every so often, and not more often than this with one peer. */
  catchUpEveryMs: 30 * SECOND,
  catchUpPauseMs: 2 * SECOND,
  /** After a restart or a gap, notices wait for a catch-up, but not longer than this. */
  catchUpWaitMs: 30 * SECOND,
  /** Results whose status did not change are gathered for at most this long before they become an entry. */
  gatherMs: 10 * SECOND,
  /** How long a start waits for a first catch-up before it writes on in its own log, which its disk may have lost. */
  ownLogWaitMs: 3 * SECOND,
  /** How often a host with lost data goes on above a life that peers show it, in this time: a start each, and no more. */
  raises: 256,
  raisesMs: 10 * SECOND,
  /** Results that wait for an entry: beyond it the oldest go, for the newest of a check is what counts. */
  gathered: 2_000,
  /** Results (and retired names) of one entry, and their bytes: with its envelope it must fit into a frame of 64 KiB. */
  entryResults: 50,
  entryBytes: 40_000,
  /** Incidents of one notice: with their aliases they must fit into one record of the notice log. */
  noticeIncidents: 64,
  /** How often old records and incidents are looked for. */
  tidyEveryMs: MINUTE,
  /** Between two stored marks of the time that a check's period has spent. */
  checkTimeMs: MINUTE,
} as const

/** The constants of the notifier. Sources: ARCHITECTURE.md's simulated figures are quoted in docs/architecture.md. */
export const turns = {
  /** What one rank waits for the one before it. Alertmanager waits 15 s. */
  waitMs: 5 * SECOND,
  /** How long a claim is respected without a receipt, from when it is heard. */
  claimMs: 5 * SECOND,
  /** A claim not under way by then is given back. */
  departMs: 1_500,
  /** Handing over takes at most this. */
  sendMs: 3 * SECOND,
  /** A claimed attempt that has not ended by then is given up. */
  giveUpMs: 4_500,
  /** Who failed at a duty is passed over for this long, doubled with each failure up to the most. */
  failedMs: 15 * SECOND,
  failedMostMs: 8 * MINUTE,
  /** An accepted notice that nobody is known to have stored or shown by then is told again, but not more often than this. */
  resendMs: 20 * SECOND,
  resends: 3,
  /** Other deaths close by join one notice: it is held at most this long, while another member is suspect. */
  holdMs: 5 * SECOND,
  /** After a refused send this host claims nothing for this long, doubled with each in a row, unless its Waku works meanwhile. */
  wakuRestMs: 5 * SECOND,
  wakuRestMostMs: MINUTE,
  /** How long others leave it to the sender to write down that its notice was answered. */
  answerMs: 5 * SECOND,
  /** Waku that worked within this time ranks before Waku that did not. */
  wakuFreshMs: MINUTE,
} as const

/** When repeated outages of one host become one flapping incident. */
export const flapping = {
  outages: 3,
  withinMs: 10 * MINUTE,
  /** The incident ends after this long without an outage, doubled with each further one, up to the most. */
  holdMs: 5 * MINUTE,
  holdMostMs: HOUR,
} as const
