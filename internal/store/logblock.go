package store

// AppendRow copies row i of a block that has all columns.
func (b *LogBlock) AppendRow(from *LogBlock, i int) {
	b.Time = append(b.Time, from.Time[i])
	b.FP = append(b.FP, from.FP[i])
	b.Body = append(b.Body, from.Body[i])
	b.Level = append(b.Level, from.Level[i])
	b.TraceID = append(b.TraceID, from.TraceID[i])
	b.SpanID = append(b.SpanID, from.SpanID[i])
	b.Attrs = append(b.Attrs, from.AttrsOf(i)...)
	b.AttrEnd = append(b.AttrEnd, uint32(len(b.Attrs)))
}
