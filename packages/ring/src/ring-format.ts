/** Constants of the encoded ring, on disk and on the wire: README.md "Format 1". */

/** "KVDR" */
export const RING_MAGIC = 0x4b564452;
export const RING_FORMAT = 1;
export const HEADER_BYTES = 20;
export const CHECKSUM_BYTES = 4;
