/** How the engine tells its operator what nobody waits for as an answer. */

/**
 * `warning`: something to know, nothing to do. `error`: the engine cannot do its work until an operator helps; `cause` is
 * what stood in its way.
 */
export type EngineLog = (message: string, level: 'warning' | 'error', cause?: unknown) => void;
