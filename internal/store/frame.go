package store

import (
	"encoding/binary"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Segment is a run of rows of one table and partition, already encoded for ClickHouse and compressed. The writer passes
// it through without looking inside.
type Segment struct {
	Table   Table
	Columns uint8
	Day     int32  // partition: days since 1970 of the rows; for weekly tables the Monday, for unpartitioned ones 0
	Rows    uint32 // rows in the segment
	Payload []byte // compressed frames of the columns' bytes, without the block header
}

// Frame is one bus message: what one request (or a part of a large one) adds to a tenant's tables.
type Frame struct {
	Tenant     seamark.TenantID
	Cluster    seamark.ClusterID
	Signal     seamark.Signal
	ReceivedMs int64 // milliseconds since 1970 when ingest took the request, for the age of data
	Segments   []Segment
	// Usage are the lines of the tenant's meter that the message carries, see encode_usage.go. They are stored with its rows.
	Usage []seamark.Usage
}

const (
	frameMagic     = 'S'
	frameVersion   = 1
	idBytes        = 26
	frameHeadBytes = 3 + 2*idBytes + 8 + 1
	segmentBytes   = 1 + 1 + 4 + 4 + 4
)

// AppendFrame encodes f. The layout is ours: fixed head, fixed segment heads, then the payloads in order.
func AppendFrame(dst []byte, f *Frame) []byte {
	dst = append(dst, frameMagic, frameVersion, byte(f.Signal))
	dst = append(dst, f.Tenant...)
	dst = append(dst, f.Cluster...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.ReceivedMs))
	segments := len(f.Segments)
	if len(f.Usage) > 0 {
		segments++
	}
	dst = append(dst, byte(segments))
	for i := range f.Segments {
		dst = appendSegmentHead(dst, &f.Segments[i], len(f.Segments[i].Payload))
	}
	if len(f.Usage) == 0 {
		return appendPayloads(dst, f.Segments)
	}
	head := len(dst)
	dst = appendSegmentHead(dst, &Segment{Table: TableUsage, Rows: uint32(len(f.Usage))}, 0)
	dst = appendPayloads(dst, f.Segments)
	start := len(dst)
	dst = appendUsage(dst, f.Usage)
	binary.LittleEndian.PutUint32(dst[head+segmentBytes-4:], uint32(len(dst)-start))
	return dst
}

func appendSegmentHead(dst []byte, s *Segment, size int) []byte {
	dst = append(dst, byte(s.Table), s.Columns)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(s.Day))
	dst = binary.LittleEndian.AppendUint32(dst, s.Rows)
	return binary.LittleEndian.AppendUint32(dst, uint32(size))
}

func appendPayloads(dst []byte, segments []Segment) []byte {
	for i := range segments {
		dst = append(dst, segments[i].Payload...)
	}
	return dst
}

// ParseFrame decodes a bus message; payloads alias data. An error means the message can never be stored.
func ParseFrame(data []byte) (Frame, error) {
	var f Frame
	if len(data) < frameHeadBytes || data[0] != frameMagic {
		return f, fmt.Errorf("frame of %d bytes has no head", len(data))
	}
	if data[1] != frameVersion {
		return f, fmt.Errorf("frame has version %d; this build reads %d", data[1], frameVersion)
	}
	f.Signal = seamark.Signal(data[2])
	tenant, err := seamark.ParseTenantID(string(data[3 : 3+idBytes]))
	if err != nil {
		return f, fmt.Errorf("frame: %w", err)
	}
	f.Tenant = tenant
	f.Cluster = seamark.ClusterID(data[3+idBytes : 3+2*idBytes])
	f.ReceivedMs = int64(binary.LittleEndian.Uint64(data[3+2*idBytes:]))
	n := int(data[frameHeadBytes-1])
	heads, rest := data[frameHeadBytes:], []byte(nil)
	if len(heads) < n*segmentBytes {
		return f, fmt.Errorf("frame ends inside the heads of its %d segments", n)
	}
	heads, rest = heads[:n*segmentBytes], heads[n*segmentBytes:]
	f.Segments = make([]Segment, n)
	for i := range f.Segments {
		h := heads[i*segmentBytes:]
		size := int(binary.LittleEndian.Uint32(h[10:]))
		s := Segment{Table: Table(h[0]), Columns: h[1], Day: int32(binary.LittleEndian.Uint32(h[2:])), Rows: binary.LittleEndian.Uint32(h[6:])}
		if !s.Table.valid() || s.Rows == 0 || size > len(rest) {
			return f, fmt.Errorf("segment %d of the frame (table %d, %d rows, %d bytes of %d left) is not valid", i, h[0], s.Rows, size, len(rest))
		}
		s.Payload, rest = rest[:size:size], rest[size:]
		f.Segments[i] = s
	}
	if last := len(f.Segments) - 1; last >= 0 && f.Segments[last].Table == TableUsage && f.Segments[last].Columns == 0 {
		if f.Usage, err = parseUsage(f.Segments[last].Payload, int(f.Segments[last].Rows)); err != nil {
			return f, fmt.Errorf("segment %d of the frame: %w", last, err)
		}
		f.Segments = f.Segments[:last]
	}
	if len(rest) != 0 {
		return f, fmt.Errorf("frame has %d bytes after its last segment", len(rest))
	}
	return f, nil
}
