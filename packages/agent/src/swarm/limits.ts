/**
 * Every limit of the private swarm, with its unit and its reason.
 *
 * They are checked before a handler is called, so that a stranger or a broken member costs little more than
 * the bytes that it sends.
 */

/** Longest frame of gossip, heartbeat, directed message, request or answer, in bytes: an entry is a few kB. */
export const FRAME_BYTES_MAX = 64 * 1024

/** Longest frame of a catch-up flow, in bytes: frames of about 10 kB measured 10 times faster than small ones. */
export const CATCH_UP_FRAME_BYTES_MAX = 256 * 1024

/** Longest hello, in bytes: a certificate. */
export const HELLO_BYTES_MAX = 4 * 1024

/** Longest nonce of a probe, in bytes. */
export const NONCE_BYTES_MAX = 64

/**
 * Longest gossip RPC, in bytes. An RPC bundles frames when it answers "I want", and one that is too long makes
 * gossipsub drop the sender, so this is several frames.
 */
export const GOSSIP_RPC_BYTES_MAX = 4 * FRAME_BYTES_MAX

/** From so many bytes on, deflated, a frame is refused where it has come already: refusing costs 83 bytes to each in the mesh. */
export const GOSSIP_REFUSED_FROM_BYTES = 2_048

/** Unsent gossip kept for one peer, in bytes; above it the stream is reset, and made anew later. */
export const GOSSIP_UNSENT_BYTES_MAX = 1024 * 1024

/** Receive window and read buffer of one stream, in bytes: what a peer can make us hold without being read. */
export const STREAM_WINDOW_BYTES = 256 * 1024

/** Streams that a peer may hold open on one connection. */
export const STREAMS_PER_CONNECTION_MAX = 64

/** Open streams of one protocol on one connection: heartbeats need one, the rest a few at once. */
export const STREAMS_PER_PROTOCOL_MAX = 8

/** Frames in one directed message. */
export const FRAMES_PER_SEND_MAX = 64

/** Frames that one peer may bring per second, in the long run, before they are dropped unread. */
export const PEER_FRAMES_PER_SECOND = 100
/** Frames that one peer may bring at once: a mass death makes every member speak. */
export const PEER_FRAMES_BURST = 400
/** Bytes that one peer may bring per second outside catch-up, in the long run, before its streams are slowed. */
export const PEER_BYTES_PER_SECOND = 64 * 1024
/** Bytes that one peer may bring at once outside catch-up. */
export const PEER_BYTES_BURST = 512 * 1024
/** How often a peer over its limits is named in the log, in milliseconds. */
export const OFFENDER_LOG_EVERY_MS = 60_000

/** How long an inbound connection may take for swarm key, noise and muxer, in milliseconds. Default of libp2p: 10 s. */
export const UPGRADE_TIMEOUT_MS = 3_000
/** How long the door waits for the hello and its answer, in milliseconds. */
export const HELLO_TIMEOUT_MS = 3_000
/** Inbound connections in the middle of that, in all. Default of libp2p: 10, which three silent strangers a second fill. */
export const PENDING_CONNECTIONS_MAX = 64
/** Inbound connections a second from one address. Default of libp2p: 5. */
export const INBOUND_CONNECTIONS_PER_SECOND = 30
/** Connections in all. */
export const CONNECTIONS_MAX = 300

/** How long dials, then the node, then its sockets may take to end when the swarm stops, in milliseconds; what hangs is left behind. */
export const NODE_STOP_MS_MAX = 3_000

/** How long opening a stream may take, in milliseconds. One slow peer holds up gossipsub's queue for this long. */
export const STREAM_OPEN_TIMEOUT_MS = 3_000
/** How long one address may take to connect and upgrade, in milliseconds. */
export const DIAL_TIMEOUT_MS = 5_000
/** Addresses dialled at the same time. */
export const DIALS_AT_ONCE_MAX = 8
/** Members in the peer book. */
export const PEER_BOOK_MAX = 256
/** Addresses of one member. */
export const ADDRESSES_PER_PEER_MAX = 8

/** How long a heartbeat may stay unacknowledged before its stream is made anew, in milliseconds. */
export const HEARTBEAT_ACK_TIMEOUT_MS = 10_000
/** How long a directed message may take until the other side has taken it, in milliseconds. */
export const SEND_TIMEOUT_MS = 5_000
/** How long a relay tries to reach the target of a probe, in milliseconds: no R is longer (ARCHITECTURE.md, rule 5). */
export const RELAYED_PROBE_TIMEOUT_MS = 2_000
/** Relays asked in one probe. */
export const PROBE_RELAYS_MAX = 8
/** How long a flow of catch-up may stand still, in milliseconds. */
export const CATCH_UP_STALL_MS = 15_000

/** How often gossip streams are looked after, in milliseconds. */
export const GOSSIP_WATCH_EVERY_MS = 3_000
/** How often a lost place at a relay is asked for again, in milliseconds. */
export const RELAY_LISTEN_EVERY_MS = 5_000
