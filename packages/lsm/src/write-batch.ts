/**
 * Writes that are applied together or not at all. The batch keeps the encoded WAL payload (docs/formats.md "Batch"):
 *
 *   entry*: kind u8 | key length varint | key | (put, merge) value length varint | value
 */
