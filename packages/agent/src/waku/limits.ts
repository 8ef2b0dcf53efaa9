/**
 * Every bound of the Waku folder, with its unit and its reason.
 *
 * A Waku service node speaks to strangers: whatever they can make grow has a number here.
 */

/** Bytes of one encoded Waku message. Source: 64/WAKU2-NETWORK, "maximum message size of 150 KB". */
export const MESSAGE_BYTES_MAX = 150 * 1024

/** Bytes of one request: a message and its envelope, or 100 content topics. */
export const REQUEST_BYTES_MAX = MESSAGE_BYTES_MAX + 4 * 1024

/** Bytes of one store answer. Stock clients refuse frames above 4 MiB; a page ends early rather than exceed half of that. */
export const STORE_PAGE_BYTES_MAX = 2 * 1024 * 1024

/** Bytes of one store answer that we read from a peer: a stock node may fill its page with messages of the full size. */
export const STORE_ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Messages of a store page when the client names no number. Source: logos-delivery, `DefaultPageSize`. */
export const STORE_PAGE_DEFAULT = 20

/** Messages of a store page at most. Source: logos-delivery, `MaxPageSize`. */
export const STORE_PAGE_MAX = 100

/** Characters of a content topic: ours have 46; this leaves room for other people's. */
export const CONTENT_TOPIC_LENGTH_MAX = 256

/** Content topics in one request. Source: 12/WAKU2-FILTER, logos-delivery's `MaxContentTopicsPerRequest`. */
export const REQUEST_TOPICS_MAX = 100

/** Message hashes in one store request. */
export const REQUEST_HASHES_MAX = 100

/** How long a message is kept, in milliseconds: 48 h, so that a weekend offline is nearly covered. */
export const STORE_KEEP_MS = 48 * 60 * 60 * 1000

/** Messages and bytes that a store keeps. A busy mesh tells some hundred notices a day, of 1 to 3 KiB. */
export const STORE_MESSAGES_MAX = 10_000
export const STORE_BYTES_MAX = 32 * 1024 * 1024

/** The part of the store open to topics that are not the mesh's own: a flood of strangers evicts only strangers. */
export const STORE_FOREIGN_SHARE = 0.25

/** Devices with a filter subscription. The connection limit leaves room for peers besides. */
export const SUBSCRIBERS_MAX = 100

/** Content topics of one subscriber: a device wants some ten. */
export const SUBSCRIBER_TOPICS_MAX = 200

/** Pushes waiting for one slow subscriber; one more drops the subscriber, who then catches up from the store. */
export const SUBSCRIBER_QUEUE_MAX = 256

/** A subscription without ping or renewal ends after this, in milliseconds. Source: logos-delivery, 5 minutes. */
export const SUBSCRIPTION_TTL_MS = 300_000

/** Connections of the node, and those in the middle of the handshake. */
export const CONNECTIONS_MAX = 160
export const CONNECTIONS_PENDING_MAX = 64

/** New connections a second from one address; devices behind one router share an address. */
export const CONNECTIONS_PER_SECOND_MAX = 30

/** A connection that has not finished its handshake by then is closed, in milliseconds. */
export const UPGRADE_TIMEOUT_MS = 3_000

/** New streams a second on an mplex connection. The default of 5 cuts stock clients off; they open some 12 on connecting. */
export const MPLEX_STREAMS_PER_SECOND_MAX = 64

/** Open streams of one protocol on one connection. Stock clients keep idle ones open, so there is no short time-out. */
export const STREAMS_PER_PROTOCOL_MAX = 32

/** Requests of one connection: a burst, then so many a second. A message costs one more for every 16 KiB. */
export const REQUEST_BURST = 100
export const REQUESTS_PER_SECOND = 20

/** Relayed messages of one connection, likewise; a mesh peer may relay for everybody. */
export const RELAY_BURST = 500
export const RELAYED_PER_SECOND = 100

/** Relayed messages refused, less those taken, before the connection is closed. */
export const RELAY_REFUSALS_MAX = 1_000

/** A request of ours that a peer has not answered by then has failed, in milliseconds. */
export const ASK_TIMEOUT_MS = 5_000

/** How long `publish` waits for somebody to confirm, in milliseconds: a notifier gives up after 3 s. */
export const CONFIRM_TIMEOUT_MS = 2_500

/** After the first confirmation, how long it still counts the others, in milliseconds. */
export const CONFIRM_GRACE_MS = 500

/** Addresses in the peer book: ten hosts with some addresses each, and external nodes. */
export const PEERS_MAX = 64
export const ADDRESSES_PER_PEER_MAX = 16

/** First and longest pause between two dials of one peer, in milliseconds. */
export const REDIAL_MIN_MS = 500
export const REDIAL_MAX_MS = 30_000

/** One catch-up round with one peer: messages and bytes taken at most. */
export const CATCH_UP_MESSAGES_MAX = STORE_MESSAGES_MAX
export const CATCH_UP_BYTES_MAX = STORE_BYTES_MAX

/** A message from the future is not taken from a peer's store beyond this, in milliseconds. */
export const CATCH_UP_FUTURE_MS = 10 * 60 * 1000

/** Pause between two catch-up rounds with a connected peer, in milliseconds: relay loses what passes while links change. */
export const CATCH_UP_EVERY_MS = 5 * 60 * 1000

/** Pause between two proofs that somebody is there, in milliseconds; ranks count Waku as working for 60 s. */
export const PROBE_EVERY_MS = 20_000

/** Content topics that the agent itself listens to: three periods for each of some hundred recipients. */
export const OWN_TOPICS_MAX = 1_000

/** Hashes that a receiver remembers, to show each message once. */
export const RECEIVER_HASHES_MAX = 10_000

/** Node addresses that a receiver keeps. */
export const RECEIVER_NODES_MAX = 32

/** How long the libp2p node, then its sockets may take to end, in milliseconds; what hangs is left behind. */
export const STOP_MS_MAX = 4_000
