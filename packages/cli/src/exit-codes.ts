/**
 * What `kvd` and `kvctl` say to a shell. The numbers are an interface: scripts test them. README.md has the same table.
 */
export const EXIT_CODES = Object.freeze({
  /** Done; a node or cluster that was stopped on request has stopped cleanly. */
  ok: 0,
  /** The node or the cluster answered with an error, or `kvctl status` found something wrong. */
  failed: 1,
  /** A flag, an argument, an environment variable or the config file is not usable. */
  usage: 2,
  /** `kvctl get` or `kvctl del`: there is no such key. */
  notFound: 3,
  /** `kvctl`: no node answers at that address, or not in time. */
  cannotConnect: 4,
  /** `kvd`: a port is taken. */
  portInUse: 5,
  /** `kvd`: the data directory is another node's, in use by a live process, or of a newer format. */
  dataDirectory: 6,
  /** `kvd start`: the disk failed under a write. The node stops rather than acknowledge what may not last. */
  durabilityLost: 70,
});
