package store

import (
	"encoding/binary"
	"math"

	"github.com/go-faster/city"

	"github.com/seamarkhq/seamark/internal/store/lz4"
)

// This file writes ClickHouse's Native format (docs: interfaces/formats/Native) by hand: a block is its column count and
// row count, then each column's name, type and data. Columns are written straight from the batch's slices, which costs a
// fifth of appending to a driver's columns. Integers are little-endian.

// LowCardinality's wire constants (src/DataTypes/Serializations/SerializationLowCardinality.cpp).
const (
	lowCardinalityVersion    = 1
	lowCardinalityHasKeys    = 1 << 9
	lowCardinalityUpdateAll  = 1 << 10
	lowCardinalityKeysUInt8  = 0
	lowCardinalityKeysUInt16 = 1
	lowCardinalityKeysUInt32 = 2
	lowCardinalityFlags      = lowCardinalityHasKeys | lowCardinalityUpdateAll
	typeLowCardinality       = "LowCardinality(String)"
	typeLabels               = "Map(LowCardinality(String), String)"
	frameTarget              = 1 << 20 // raw bytes of one compressed frame: what the server itself writes
	nativeBatchColumn        = "_b"
	nativeBatchType          = "UInt64"
	nativeFilterColumn       = "_f" // 1: filters cover the row
	nativeFilterType         = "UInt8"
)

// appendColumn starts a column.
func appendColumn(b []byte, name, typ string) []byte {
	return appendString(appendString(b, name), typ)
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// dict collects the distinct strings of a LowCardinality column and each row's index.
type dict struct {
	values []string
	index  map[string]uint32
	keys   []uint32
}

func (d *dict) reset() {
	clear(d.values)
	d.values, d.keys = d.values[:0], d.keys[:0]
	clear(d.index)
}

// ref returns the index of s, which it adds when it is new.
func (d *dict) ref(s string) uint32 {
	if i, ok := d.index[s]; ok {
		return i
	}
	if d.index == nil {
		d.index = map[string]uint32{}
	}
	i := uint32(len(d.values))
	d.values = append(d.values, s)
	d.index[s] = i
	return i
}

func (d *dict) add(s string) { d.keys = append(d.keys, d.ref(s)) }

// appendLowCardinality writes a whole LowCardinality(String) column.
func (d *dict) appendLowCardinality(b []byte, name string) []byte {
	b = appendColumn(b, name, typeLowCardinality)
	b = binary.LittleEndian.AppendUint64(b, lowCardinalityVersion)
	return d.appendData(b)
}

// appendData writes the dictionary and keys; nothing when there is no row.
func (d *dict) appendData(b []byte) []byte {
	if len(d.keys) == 0 {
		return b
	}
	width, flag := keyWidth(len(d.values))
	b = binary.LittleEndian.AppendUint64(b, lowCardinalityFlags|flag)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(d.values)))
	for _, v := range d.values {
		b = appendString(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(d.keys)))
	switch width {
	case 1:
		for _, k := range d.keys {
			b = append(b, byte(k))
		}
	case 2:
		for _, k := range d.keys {
			b = binary.LittleEndian.AppendUint16(b, uint16(k))
		}
	default:
		for _, k := range d.keys {
			b = binary.LittleEndian.AppendUint32(b, k)
		}
	}
	return b
}

func keyWidth(values int) (width int, flag uint64) {
	switch {
	case values <= math.MaxUint8+1:
		return 1, lowCardinalityKeysUInt8
	case values <= math.MaxUint16+1:
		return 2, lowCardinalityKeysUInt16
	}
	return 4, lowCardinalityKeysUInt32
}

// labelMap collects a Map(LowCardinality(String), String) column.
type labelMap struct {
	offsets []uint64
	names   dict
	values  []byte // encoded strings
}

func (m *labelMap) reset() {
	m.offsets, m.values = m.offsets[:0], m.values[:0]
	m.names.reset()
}

func (m *labelMap) addPair(name, value string) {
	m.names.add(name)
	m.values = appendString(m.values, value)
}

func (m *labelMap) endRow() { m.offsets = append(m.offsets, uint64(len(m.names.keys))) }

func (m *labelMap) appendColumn(b []byte, name string) []byte {
	b = appendColumn(b, name, typeLabels)
	b = binary.LittleEndian.AppendUint64(b, lowCardinalityVersion)
	for _, o := range m.offsets {
		b = binary.LittleEndian.AppendUint64(b, o)
	}
	b = m.names.appendData(b)
	return append(b, m.values...)
}

// compressor turns raw bytes into ClickHouse's compressed frames, which may be concatenated at will as long as all have
// the same method: LZ4 throughout, also for the few bytes of a block's head. A frame is the CityHash128 of what follows, the
// method, the size of the frame without its hash, the raw size, and an LZ4 block (ClickHouse, src/Compression/CompressionInfo.h).
type compressor struct{ lz4 lz4.Encoder }

const (
	frameHashBytes  = 16
	frameInfoBytes  = 1 + 4 + 4
	frameMethodLZ4  = 0x82
	emptyFrameBytes = frameHashBytes + frameInfoBytes
)

func newCompressor() *compressor { return &compressor{} }

// appendFrames compresses raw and appends its frames to dst.
func (c *compressor) appendFrames(dst, raw []byte) []byte {
	for len(raw) > 0 {
		n := min(len(raw), frameTarget)
		start := len(dst)
		dst = append(dst, make([]byte, emptyFrameBytes)...)
		dst = c.lz4.AppendBlock(dst, raw[:n])
		frame := dst[start:]
		frame[frameHashBytes] = frameMethodLZ4
		binary.LittleEndian.PutUint32(frame[frameHashBytes+1:], uint32(len(frame)-frameHashBytes))
		binary.LittleEndian.PutUint32(frame[frameHashBytes+5:], uint32(n))
		sum := city.CH128(frame[frameHashBytes:])
		binary.LittleEndian.PutUint64(frame, sum.Low)
		binary.LittleEndian.PutUint64(frame[8:], sum.High)
		raw = raw[n:]
	}
	return dst
}
