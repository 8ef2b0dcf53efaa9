/**
 * The Waku network that Muster speaks on: a cluster of its own, with one shard, without RLN.
 *
 * Clusters 0 to 15 are reserved, 1 is The Waku Network (it asks publishers for RLN proofs that a light client cannot
 * make) and 16 is Status. Ours is the number of Muster's first port.
 * Source: 51/WAKU2-RELAY-SHARDING.
 */

/** Waku cluster of all Muster meshes, a u16. */
export const CLUSTER_ID = 4650

/** The only shard of the cluster. Static sharding. */
export const SHARD = 0

/** The pubsub topic of that shard. */
export const PUBSUB_TOPIC = `/waku/2/rs/${CLUSTER_ID}/${SHARD}`

/** Protocol ids, as they stand on the wire. */
export const CODEC = {
  metadata: '/vac/waku/metadata/1.0.0',
  relay: '/vac/waku/relay/2.0.0',
  lightPush: '/vac/waku/lightpush/3.0.0',
  filterSubscribe: '/vac/waku/filter-subscribe/2.0.0-beta1',
  filterPush: '/vac/waku/filter-push/2.0.0-beta1',
  store: '/vac/waku/store-query/3.0.0',
} as const
