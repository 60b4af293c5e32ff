# Joins the targets' table of docs/performance.md (benchmark, unit, target) with the output of go test -bench.
FNR == NR {
    if ($0 ~ /^\| `Benchmark/) {
        split($0, cell, "|")
        gsub(/[` ]/, "", cell[2]); gsub(/[` ]/, "", cell[3]); gsub(/[^0-9.]/, "", cell[4])
        target[cell[2], cell[3]] = cell[4]
    }
    next
}
/^Benchmark/ {
    name = $1
    sub(/-[0-9]+$/, "", name)
    if (!headed++) printf "\n%-34s %-24s %14s %10s\n", "benchmark", "unit", "measured", "target"
    for (i = 3; i < NF; i += 2) {
        if ($(i + 1) == "ns/op" && $i + 0 == 0) continue
        line = sprintf("%-34s %-24s %14s", name, $(i + 1), $i)
        if ((name, $(i + 1)) in target) {
            goal = target[name, $(i + 1)]
            line = line sprintf(" %10s  %s", "<= " goal, $i + 0 <= goal + 0 ? "ok" : "OVER")
        }
        print line
    }
}
