package parquet

import "encoding/binary"

// Types of fields in Thrift's compact protocol.
const (
	thriftTrue   = 1
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// thrift appends structs in Thrift's compact protocol, in which Parquet's headers are written. Fields of a struct must be
// written with rising ids.
type thrift struct {
	buf  []byte
	last []int // the last field's id of each open struct
}

// begin opens a struct that is no field: the outermost, or an element of a list.
func (t *thrift) begin() { t.last = append(t.last, 0) }

// end closes the innermost struct.
func (t *thrift) end() {
	t.buf = append(t.buf, 0)
	t.last = t.last[:len(t.last)-1]
}

// field writes a field's header. The protocol has a longer form for ids that lie more than 15 apart; there are none here.
func (t *thrift) field(id int, kind byte) {
	last := &t.last[len(t.last)-1]
	t.buf = append(t.buf, byte(id-*last)<<4|kind)
	*last = id
}

func (t *thrift) i32(id int, v int32) {
	t.field(id, thriftI32)
	t.buf = binary.AppendVarint(t.buf, int64(v)) // zigzag, as the protocol has it
}

func (t *thrift) i64(id int, v int64) {
	t.field(id, thriftI64)
	t.buf = binary.AppendVarint(t.buf, v)
}

func (t *thrift) text(id int, s string) {
	t.field(id, thriftBinary)
	t.bare(s)
}

// bare writes a text that is an element of a list.
func (t *thrift) bare(s string) {
	t.buf = binary.AppendUvarint(t.buf, uint64(len(s)))
	t.buf = append(t.buf, s...)
}

// object opens a struct that is a field.
func (t *thrift) object(id int) {
	t.field(id, thriftStruct)
	t.begin()
}

// empty writes a field that is a struct without fields: a choice of a union.
func (t *thrift) empty(id int) {
	t.object(id)
	t.end()
}

// yes writes a field that is true.
func (t *thrift) yes(id int) { t.field(id, thriftTrue) }

// list opens a list of n elements, which must follow.
func (t *thrift) list(id, n int, kind byte) {
	t.field(id, thriftList)
	if n < 15 {
		t.buf = append(t.buf, byte(n)<<4|kind)
		return
	}
	t.buf = append(t.buf, 0xf0|kind)
	t.buf = binary.AppendUvarint(t.buf, uint64(n))
}
