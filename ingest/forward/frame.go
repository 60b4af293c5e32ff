package forward

import (
	"unsafe"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Frame is one message of the protocol, whatever its mode. Its strings alias the bytes it was parsed from.
type Frame struct {
	Tag        string
	Chunk      string // the id that is to be acknowledged, "" for none
	Compressed string // the option compressed: "", text, gzip or another
	Size       int    // entries that the sender says it has, -1 when it says none
	Signal     int64  // Fluent Bit's fluent_signal: 0 logs, 1 metrics, 2 traces

	entries  reader // of packed modes: what is left of the bytes of the entries
	left     int    // of the mode Forward: entries that are left; -1 for as many as there are bytes
	single   bool   // the mode Message: time and record follow each other without an array
	inflated bool   // the entries do not stand in the message
	metadata []byte // the option metadata of Fluent Bit: a map for every entry
	group    []byte // Fluent Bit's group that the entries being read are in: the record of its start
	seen     int    // entries that were read
}

// mode errors name the place in the message's array.
const badFrameID = "seamark-forward-message"

// ParseFrame reads one message, an array, from its bytes and overwrites f. The error is Invalid seamark-forward-message.
func ParseFrame(raw []byte, f *Frame) error {
	*f = Frame{Size: -1, left: -1}
	r := reader{buf: raw}
	array, ok := r.next()
	if !ok || array.kind != kindArray {
		return badFrame("is not an array")
	}
	tag, ok := r.next()
	if !ok || array.count < 2 || tag.kind != kindStr && tag.kind != kindBin {
		return badFrame("does not begin with a tag and something behind it")
	}
	f.Tag = alias(tag.data)
	used, err := f.parseEntries(&r, array.count)
	if err != nil {
		return err
	}
	if array.count == used {
		return nil
	}
	return f.parseOptions(&r)
}

func badFrame(what string) error {
	return seamark.Errorf(seamark.Invalid, badFrameID,
		"A message %s. Send Message, Forward or PackedForward of the Fluent forward protocol, version 1.", what)
}

// parseEntries finds the entries, whose first value tells the mode, and returns how many elements of the array are used.
func (f *Frame) parseEntries(r *reader, count int) (used int, err error) {
	from := *r
	first, ok := r.next()
	if !ok {
		return 0, badFrame("ends behind its tag")
	}
	switch first.kind {
	case kindStr, kindBin:
		f.entries = reader{buf: first.data}
		return 2, nil
	case kindArray:
		f.left = first.count
		f.entries = *r
		*r = from
		if _, ok := r.skip(); !ok {
			return 0, badFrame("ends in its entries")
		}
		return 2, nil
	case kindInt, kindUint, kindFloat, kindExt, kindNil:
		if _, ok := r.skip(); !ok || count < 3 {
			return 0, badFrame("has a time and no record")
		}
		f.entries, f.left, f.single = from, 1, true
		return 3, nil
	}
	return 0, badFrame("has neither entries nor a time behind its tag")
}

func (f *Frame) parseOptions(r *reader) error {
	options, ok := r.next()
	if ok && options.kind == kindNil {
		return nil
	}
	if !ok || options.kind != kindMap {
		return badFrame("has options that are not a map")
	}
	for range options.count / 2 {
		name, ok := r.next()
		if !ok || name.nested() {
			return badFrame("has an option without a name")
		}
		raw, ok := r.skip()
		if !ok {
			return badFrame("ends in its options")
		}
		f.option(alias(name.data), raw)
	}
	return nil
}

// option takes one option. Those of another type than the protocol says are left out, as those that are unknown are.
func (f *Frame) option(name string, raw []byte) {
	value := reader{buf: raw}
	v, _ := value.next() // it was read before
	switch text := v.kind == kindStr || v.kind == kindBin; {
	case name == "chunk" && text:
		f.Chunk = alias(v.data)
	case name == "compressed" && text:
		f.Compressed = alias(v.data)
	case name == "size" && (v.kind == kindInt || v.kind == kindUint) && v.bits <= 1<<30:
		f.Size = int(v.bits)
	case name == "fluent_signal" && (v.kind == kindInt || v.kind == kindUint):
		f.Signal = int64(v.bits)
	case name == "metadata" && v.kind == kindMap:
		f.metadata = raw
	}
}

// Packed returns the bytes of the entries of the packed modes, nil in the others.
func (f *Frame) Packed() []byte {
	if f.left >= 0 {
		return nil
	}
	return f.entries.buf
}

// SetPacked puts inflated entries in the place of compressed ones.
func (f *Frame) SetPacked(entries []byte) { f.entries, f.inflated = reader{buf: entries}, true }

// content returns the bytes that the entries are in, for a name that is the same when they are sent again.
func (f *Frame) content() []byte { return f.entries.buf[f.entries.at:] }

// Missing returns how many entries the sender has said and not sent, after all were read.
func (f *Frame) Missing() int { return max(f.Size-f.seen, 0) }

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
