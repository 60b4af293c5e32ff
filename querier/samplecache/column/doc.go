// Package column keeps the float samples of one series compressed in memory, in a form that is unpacked a block at a time
// at about the speed of memory. It serves the cache of samples that PromQL is evaluated on; it knows nothing of series,
// tenants or queries, and its bytes never leave the process, so their form may change with every build.
//
// A Run is cut into blocks of 128 samples. Times and values of a block are whole numbers, each the sum of a rule (a straight
// line, or the number before it) and a small rest, and the rests are packed in as few bits as their spread takes. Values
// become whole numbers as decimals (12.7 is 127 tenths) where that returns every bit, and else as their bit patterns. What
// fits neither, such as a stale marker among integers, stands aside with its position.
package column
