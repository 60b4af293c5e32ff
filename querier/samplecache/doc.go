// Package samplecache answers reads of metric samples from memory. Cache stands before the store and takes its place for
// PromQL; whatever it does not hold, and may not hold, is the store's, which stays the reference. Package app makes it.
//
// # What is held
//
// Samples are held per tenant, series and window of two hours, compressed (package column). A query has the windows that its
// series lack read whole, in few statements, those without samples too; queries that need the same windows share a
// statement, and one that nobody waits for any more is cancelled. A window that goes on has a tail that is not compressed
// and is cheap to append to. What was used longest ago is dropped first.
//
// # Nothing is missed
//
// An insert becomes a part whose name carries the insert's number, taken under the lock under which the part becomes
// visible; a merged part carries the range of the numbers that went into it. So what a listing of the parts does not show
// has a larger number than all it shows. The cache keeps the largest number that it has read, its mark. A refresh (1) lists
// the parts, (2) looks up which windows are registered, (3) reads for them the rows of parts that reach past the mark, and
// (4) moves the mark to the largest number of the listing. A load (a) registers its windows and (b) begins its statement;
// from (a) on refreshes put rows into the windows, and (c) what the statement has read is merged with those. Merging is
// idempotent: of two samples at one time the larger bits prevail, as in the store. Rows of a refresh are put in all at once, so
// that a query sees what some listing showed.
//
// Let a row become visible at the moment v. If v is before (b) the load reads it. If not, v is after (a). The first refresh
// whose step (1) is after v finds a part with it, and its number is larger than the mark, which no listing before v has
// reached. Its step (2) is after (1), so after v and (a): it finds the window and puts the row in. The first refresh of all
// only sets the mark, and no window is registered before it has ended.
//
// A part that was merged of known and new inserts would have to be read whole. Its rows carry their batch (_b), and a
// shard's writer stores one batch whole before it begins the next, with larger numbers. So when a listing shows a row of
// some batch, all rows of the shard's earlier batches were visible before it, and were read or will be found by loads. Of
// such parts only the newest known batch of each shard and later ones are read. Parts that a refresh reads but its listing
// did not show do not count for this: windows may have been registered between the listing and the read.
//
// All of this holds while inserts are numbered as they become visible, as those of a plain MergeTree are; a replicated one
// gives its numbers out earlier.
//
// # Windows without samples
//
// A listing tells the least and the largest time of each part. A query does not look at windows in which no part of the last
// listing has a sample, as long as they are not held. Shortly before a window begins it is registered for the series in use,
// empty and without a load: the listing shows that it has no rows, so every row that it gets has a number past the mark.
//
// # Rows that leave
//
// A listing shows when a part is gone without another one over its range (retention, a dropped partition), and when a part
// went through a mutation with a number past its own. Either drops the windows of the day, and loads under way find nothing
// to fill. No load reads a day of which no part was listed, so none reads rows whose leaving no listing shows. When the part
// with the largest number of all is gone the tenant starts over, because the server may give the number out again after a
// restart.
//
// # Freshness
//
// It is that of package seriesindex: a query that begins later than Options.Grace after an announcement (Changed) which no
// refresh has covered waits for one, as does one that begins later than Options.Refresh after the last listing. Nobody waits
// longer than maxWait: the query is the store's then.
//
// # Native histograms
//
// They are not held. The cache knows which metrics have any, by the same marks, and answers for all others.
package samplecache
