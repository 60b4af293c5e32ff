package logcontext

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// cursor is where a page ended, and whose rows are looked at. It tells all that the next page needs, so the server keeps
// nothing, and nothing that the next page's reader may not see: streams are looked up again as the tenant that asks.
type cursor struct {
	stream uint64 // that the line in the middle belongs to
	pod    bool
	newer  bool
	past   bool
	skip   uint32
	span   time.Duration // in whole seconds
	at     store.LogPosition
}

const (
	cursorVersion = 1
	cursorBytes   = 2 + 5*8 + 2*4

	podFlag   = 1
	newerFlag = 2
	pastFlag  = 4
)

// String returns the cursor as text that may stand in a URL.
func (c *cursor) String() string {
	b := make([]byte, 0, cursorBytes)
	flags := byte(0)
	for _, f := range []struct {
		set  bool
		flag byte
	}{{c.pod, podFlag}, {c.newer, newerFlag}, {c.past, pastFlag}} {
		if f.set {
			flags |= f.flag
		}
	}
	b = append(b, cursorVersion, flags)
	for _, n := range []uint64{c.stream, uint64(c.at.Time), c.at.FP, c.at.Batch, c.at.Hash} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = binary.BigEndian.AppendUint32(b, c.skip)
	b = binary.BigEndian.AppendUint32(b, uint32(c.span/time.Second))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what String wrote, as it comes back from a caller.
func parseCursor(text string) (*cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != cursorBytes || b[0] != cursorVersion || b[1] > podFlag|newerFlag|pastFlag {
		return nil, errCursor()
	}
	number := func(i int) uint64 { return binary.BigEndian.Uint64(b[2+8*i:]) }
	c := &cursor{
		stream: number(0), pod: b[1]&podFlag != 0, newer: b[1]&newerFlag != 0, past: b[1]&pastFlag != 0,
		at:   store.LogPosition{Time: int64(number(1)), FP: number(2), Batch: number(3), Hash: number(4)},
		skip: binary.BigEndian.Uint32(b[2+5*8:]), span: time.Duration(binary.BigEndian.Uint32(b[2+5*8+4:])) * time.Second,
	}
	if checkTime(c.at.Time) != nil || checkSpan(c.span) != nil {
		return nil, errCursor()
	}
	return c, nil
}

func errCursor() error {
	return seamark.Errorf(seamark.Invalid, "seamark-context-cursor", "The cursor is none that an answer gave. Send it as it came, and nothing else with it but a limit.")
}
