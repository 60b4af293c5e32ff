package store

import (
	"maps"
	"slices"
	"strconv"
)

// samplePartsSQL asks for nothing but what the server keeps of each part in memory: the condition on the count makes it
// leave the parts closed, and the least and largest time are kept for the partition key.
func samplePartsSQL(table Table) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT toString(_part), count(), toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts))\n" +
		"FROM " + tableSpecs[table].name + "\nGROUP BY _part\nHAVING count() > 0")
	return b
}

// sampleScanSQL packs each series' columns, as metricSamplesSQL does, but in the order of the sort key: the server holds one
// series at a time and a small block of each part, however much is read, and hands over small blocks, which the driver
// takes in for two thirds of the time.
func sampleScanSQL(q *SampleScanQuery) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')\n" +
		"FROM samples\n")
	b.whereMetricSamples(&MetricSamplesQuery{Metrics: q.Metrics, FPs: q.FPs, Whole: q.Whole, StartMilli: q.StartMilli, EndMilli: q.EndMilli})
	b.WriteString("\nGROUP BY metric, fp\nSETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192")
	return b
}

// sampleNewsRows is about how many rows of one part are packed into one answer: enough that the packing costs nothing, few
// enough that a client which was away for long does not hold all it missed at once.
const sampleNewsRows = 65536

// sampleNewsSQL packs rows of one part into one row of the answer, without touching a sample. The names of parts are taken
// apart on the server, because a part may be merged after it was listed.
func sampleNewsSQL(q *SampleNewsQuery) *logSQL {
	b := newLogSQL()
	after, until := b.int64(q.After), b.int64(q.Until)
	above, to := b.int64(max(q.After, q.Above)), b.int64(q.To)
	const minBlock, maxBlock, shard = "toInt64(splitByChar('_', _part)[2])", "toInt64(splitByChar('_', _part)[3])", "toUInt8(bitAnd(_b, 255))"
	b.WriteString("SELECT " + shard + " AS shard, if(any(" + maxBlock + ") <= " + until + ", max(_b), 0),\n" +
		"  reinterpret(groupArray(fp), 'String'), reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')\n" +
		"FROM samples\n" +
		"WHERE " + maxBlock + " > " + above + " AND " + maxBlock + " <= " + to)
	if q.Metrics != nil {
		b.WriteString("\n  AND metric IN " + b.strings(sortedStrings(q.Metrics)))
	}
	b.WriteString("\n  AND ts >= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.StartMilli)) + ", 'UTC')" +
		" AND ts <= fromUnixTimestamp64Milli(" + b.int64(clampMilli(q.EndMilli)) + ", 'UTC')")
	if len(q.Newest) > 0 {
		shards, batches := make([]uint64, 0, len(q.Newest)), make([]uint64, 0, len(q.Newest))
		for _, n := range slices.Sorted(maps.Keys(q.Newest)) {
			shards, batches = append(shards, uint64(n)), append(batches, q.Newest[n])
		}
		b.WriteString("\n  AND (" + minBlock + " > " + after + " OR _b >= transform(bitAnd(_b, 255), " + b.uint64s(shards) + ", " + b.uint64s(batches) + ", toUInt64(0)))")
	}
	b.WriteString("\nGROUP BY _part, shard, intDiv(_part_offset, " + strconv.Itoa(sampleNewsRows) + ")")
	return b
}

func histogramMetricsSQL(after int64) *logSQL {
	b := newLogSQL()
	b.WriteString("SELECT DISTINCT toString(metric)\nFROM hist_samples\nWHERE toInt64(splitByChar('_', _part)[3]) > " + b.int64(after))
	return b
}
