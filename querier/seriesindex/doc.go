// Package seriesindex answers which metric series or log streams match, and which label names and values they have, from
// indexes in memory, one of each kind per tenant. Index wraps the store and takes its place for PromQL and LogQL; whatever an
// index cannot answer at once goes to the store, which stays the reference. Package app makes it.
//
// # Nothing is missed
//
// The series table is a plain MergeTree: an insert becomes a part whose name carries the insert's number, taken under the
// same lock under which the part becomes visible, and a merged part carries the range of the numbers that went into it. So
// after a listing of the parts, every insert that it does not show will have a larger number than all it shows. The index
// keeps, per week (a partition), the largest number it has read, its mark. A refresh lists the parts, reads of each loaded
// week the parts that reach past the mark, and only then moves the mark to the listing's largest: what comes in between is
// past the new mark and read again, which changes nothing, because a series is added once and its days are united. No
// clock takes part: neither last_seen, which is stamped at encoding and stored out of order, nor a retry window.
//
// Rows leave in three ways, which the listing shows: a part is gone without another one over its range (retention, a
// dropped partition), or a part carries a later mutation (a deletion). Each makes the index start over, as does a week that
// nobody has asked for in a long time.
//
// # Freshness
//
// The writer announces inserts of series rows (Changed). A tenant in use is refreshed soon, in the background; a query
// that begins later than changeGrace after an announcement that no refresh has covered waits for one. Announcements may
// get lost, so a query also waits when the last listing is older than Options.Refresh. Nobody waits longer than maxWait:
// the query goes to the store then, which is always fresh.
//
// An announcement does not say which kind of series was stored, so it concerns both indexes of the tenant. Whoever must not
// miss a stream of the last moments, as the beginning of a tail, asks the store.
package seriesindex
