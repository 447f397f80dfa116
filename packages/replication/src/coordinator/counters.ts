/** What coordinators count. Plain numbers that only grow; the node reads them for its metrics. */

export interface WriteCounters {
  ok: number;
  failed: number;
  indeterminate: number;
  /** Writes that read contexts first. */
  preReads: number;
  /** Of them those that went on without R contexts: they may make siblings. */
  preReadSkipped: number;
  /** Hints kept here for owners that had not acknowledged. */
  hintsKept: number;
  /** Writes sent to fallbacks, to be kept as hints there. */
  standIns: number;
}

export interface ReadCounters {
  ok: number;
  failed: number;
  /** Owners asked because others were late. */
  hedges: number;
  /** Fallbacks asked because owners were out of reach, refused or silent. */
  standIns: number;
  /** Reads that needed a fallback's answer. */
  degradedReads: number;
  /** Times that more replicas were asked because the answers were behind what the reader had seen. */
  widened: number;
  /** Owners that were sent the merged record because theirs was older. */
  readRepairs: number;
  /** Answers that could not be decoded; they count as refusals. */
  corruptAnswers: number;
}

export function newWriteCounters(): WriteCounters {
  return { ok: 0, failed: 0, indeterminate: 0, preReads: 0, preReadSkipped: 0, hintsKept: 0, standIns: 0 };
}

export function newReadCounters(): ReadCounters {
  return { ok: 0, failed: 0, hedges: 0, standIns: 0, degradedReads: 0, widened: 0, readRepairs: 0, corruptAnswers: 0 };
}
