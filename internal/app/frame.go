package app

import "github.com/seamarkhq/seamark/internal/store"

// DescribeFrame tells what a bus message would add: the table of its first segment and the rows of all. It returns "" and 0
// for a message that cannot be read.
func DescribeFrame(data []byte) (table string, rows uint64) {
	frame, err := store.ParseFrame(data)
	if err != nil || len(frame.Segments) == 0 {
		return "", 0
	}
	for i := range frame.Segments {
		rows += uint64(frame.Segments[i].Rows)
	}
	return frame.Segments[0].Table.String(), rows
}
