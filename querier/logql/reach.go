package logql

import "time"

// Reach returns how long before its first step an expression reads, and every selection of lines in it.
func Reach(e Expr) (before time.Duration, reads []*LogQuery) {
	switch e := e.(type) {
	case *LogQuery:
		return 0, []*LogQuery{e}
	case *RangeAggregation:
		return max(0, e.Range+e.Offset), []*LogQuery{e.Query}
	case *VectorAggregation:
		return Reach(e.Inner)
	case *LabelReplace:
		return Reach(e.Inner)
	case *Binary:
		left, leftReads := Reach(e.Left)
		right, rightReads := Reach(e.Right)
		return max(left, right), append(leftReads, rightReads...)
	}
	return 0, nil
}
