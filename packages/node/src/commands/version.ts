/** What kvd says of its versions. */

/** The Redis whose commands and replies kvd follows: clients switch features on by it. */
export const REDIS_VERSION = '7.4.0';
/** Of this package. */
export const KVD_VERSION = '0.1.0';
