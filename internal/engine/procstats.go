package engine

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// clockTicksPerSecond is Linux' USER_HZ, the unit of CPU times in /proc; it is 100 on every architecture Go supports.
const clockTicksPerSecond = 100

// ProcStats reads what a process has used so far: CPU seconds (user and system, all threads) and resident bytes. It
// fails where there is no /proc or no such process.
func ProcStats(pid int) (cpuSeconds float64, rssBytes int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read process stats: %w", err)
	}
	// The second field is the command in parentheses and may hold spaces, so fields count from the last parenthesis.
	_, rest, ok := cutLast(data, ')')
	fields := bytes.Fields(rest)
	const utime, stime, rss = 11, 12, 21
	if !ok || len(fields) <= rss {
		return 0, 0, fmt.Errorf("read process stats: /proc/%d/stat has an unknown form", pid)
	}
	var numbers [3]int64
	for i, field := range []int{utime, stime, rss} {
		if numbers[i], err = strconv.ParseInt(string(fields[field]), 10, 64); err != nil {
			return 0, 0, fmt.Errorf("read process stats: %w", err)
		}
	}
	return float64(numbers[0]+numbers[1]) / clockTicksPerSecond, numbers[2] * int64(os.Getpagesize()), nil
}

func cutLast(data []byte, sep byte) (before, after []byte, found bool) {
	i := bytes.LastIndexByte(data, sep)
	if i < 0 {
		return data, nil, false
	}
	return data[:i], data[i+1:], true
}
