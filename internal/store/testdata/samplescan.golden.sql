-- histograms' metric
SELECT DISTINCT toString(metric)
FROM hist_samples
WHERE toInt64(splitByChar('_', _part)[3]) > {p0:Int64}
-- p0 = 7

-- news
SELECT toUInt8(bitAnd(_b, 255)) AS shard, if(any(toInt64(splitByChar('_', _part)[3])) <= {p1:Int64}, max(_b), 0),
  reinterpret(groupArray(fp), 'String'), reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM samples
WHERE toInt64(splitByChar('_', _part)[3]) > {p2:Int64} AND toInt64(splitByChar('_', _part)[3]) <= {p3:Int64}
  AND metric IN {p4:Array(String)}
  AND ts >= fromUnixTimestamp64Milli({p5:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p6:Int64}, 'UTC')
  AND (toInt64(splitByChar('_', _part)[2]) > {p0:Int64} OR _b >= transform(bitAnd(_b, 255), {p7:Array(UInt64)}, {p8:Array(UInt64)}, toUInt64(0)))
GROUP BY _part, shard, intDiv(_part_offset, 65536)
-- p0 = 5
-- p1 = 9
-- p2 = 6
-- p3 = 7
-- p4 = ['b','it\'s']
-- p5 = 1
-- p6 = 2
-- p7 = [1,3]
-- p8 = [513,259]

-- news, everything
SELECT toUInt8(bitAnd(_b, 255)) AS shard, if(any(toInt64(splitByChar('_', _part)[3])) <= {p1:Int64}, max(_b), 0),
  reinterpret(groupArray(fp), 'String'), reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM samples
WHERE toInt64(splitByChar('_', _part)[3]) > {p2:Int64} AND toInt64(splitByChar('_', _part)[3]) <= {p3:Int64}
  AND ts >= fromUnixTimestamp64Milli({p4:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p5:Int64}, 'UTC')
GROUP BY _part, shard, intDiv(_part_offset, 65536)
-- p0 = 5
-- p1 = 9
-- p2 = 5
-- p3 = 9223372036854775807
-- p4 = 1
-- p5 = 2

-- parts
SELECT toString(_part), count(), toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts))
FROM samples
GROUP BY _part
HAVING count() > 0

-- parts, histograms
SELECT toString(_part), count(), toUnixTimestamp64Milli(min(ts)), toUnixTimestamp64Milli(max(ts))
FROM hist_samples
GROUP BY _part
HAVING count() > 0

-- scan
SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM samples
  WHERE metric IN {p0:Array(String)}
    AND fp IN {p1:Array(UInt64)}
    AND ts >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
GROUP BY metric, fp
SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192
-- p0 = ['b','it\'s']
-- p1 = [1,2]
-- p2 = 1
-- p3 = 2

-- scan, whole
SELECT fp, reinterpret(groupArray(toUnixTimestamp64Milli(ts)), 'String'), reinterpret(groupArray(v), 'String')
FROM samples
  WHERE metric IN {p0:Array(String)}
    AND ts >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Milli({p2:Int64}, 'UTC')
GROUP BY metric, fp
SETTINGS optimize_aggregation_in_order = 1, max_block_size = 8192
-- p0 = ['b','it\'s']
-- p1 = 1
-- p2 = 2

