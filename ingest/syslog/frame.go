package syslog

import "bytes"

// framing is how messages are told apart on a connection.
type framing uint8

const (
	undecided framing = iota
	counted           // "LEN SP message" (RFC 6587 section 3.4.1, RFC 5425)
	lines             // one message per line, ended by LF or NUL (RFC 6587 section 3.4.2)
)

// framer cuts a connection's bytes into messages. How is decided by what comes first: a message begins with '<', a count
// with another digit than 0.
type framer struct {
	max     int // bytes of the longest message
	framing framing
	skip    int  // counted: bytes still to come of a message that is passed over
	inLong  bool // lines: the line that is being read is passed over
	looked  int  // lines: bytes at the start of what is unread that have no end in them
}

// cut is what was found at the start of some bytes.
type cut struct {
	message []byte // nil when there is none
	used    int    // bytes that are done with
	long    bool   // a message over the limit began: it is passed over
	more    bool   // what is left is no whole message
	lost    bool   // no message begins here, and none can be found
}

// maxCount is the most digits of a count. Nine are a gigabyte.
const maxCount = 9

// next cuts one message off buf.
func (f *framer) next(buf []byte) cut {
	if f.framing == undecided {
		if f.framing = decide(buf); f.framing == undecided {
			return cut{more: true}
		}
	}
	if f.framing == counted {
		return f.nextCounted(buf)
	}
	return f.nextLine(buf)
}

// decide looks for a count before the first message. Lines without a priority may begin with a year, which is why the
// '<' behind the count is looked at too.
func decide(buf []byte) framing {
	n := 0
	for n < len(buf) && n <= maxCount && isDigit(buf[n]) {
		n++
	}
	switch {
	case n == len(buf) && n <= maxCount, n > 0 && n+1 == len(buf) && buf[n] == ' ':
		return undecided
	case n == 0, n > maxCount, buf[0] == '0', buf[n] != ' ', buf[n+1] != '<':
		return lines
	}
	return counted
}

func (f *framer) nextCounted(buf []byte) cut {
	if f.skip > 0 {
		n := min(f.skip, len(buf))
		f.skip -= n
		return cut{used: n, more: f.skip > 0}
	}
	blank := 0 // some senders end a counted message with a newline that they do not count
	for blank < len(buf) && (buf[blank] == '\n' || buf[blank] == '\r' || buf[blank] == 0) {
		blank++
	}
	head := buf[blank:min(len(buf), blank+maxCount+1)]
	digits := bytes.IndexByte(head, ' ')
	if digits < 0 {
		_, isNumber := number(head)
		if isNumber || len(head) == 0 {
			return cut{used: blank, more: true}
		}
		return cut{lost: true}
	}
	size, ok := number(head[:digits])
	if !ok || size == 0 {
		return cut{lost: true}
	}
	body := buf[blank+digits+1:]
	switch {
	case size > f.max:
		f.skip = size
		return cut{used: blank + digits + 1, long: true}
	case len(body) < size:
		return cut{used: blank, more: true}
	}
	return cut{message: body[:size], used: blank + digits + 1 + size}
}

func (f *framer) nextLine(buf []byte) cut {
	end := endOfLine(buf, f.looked)
	switch {
	case end >= 0:
		long := end > f.max && !f.inLong
		c := cut{message: buf[:end], used: end + 1, long: long}
		if f.inLong || long {
			c.message = nil
		}
		f.inLong, f.looked = false, 0
		return c
	case f.inLong:
		return cut{used: len(buf), more: true}
	case len(buf) > f.max:
		f.inLong, f.looked = true, 0
		return cut{used: len(buf), long: true}
	}
	f.looked = len(buf)
	return cut{more: true}
}

// endOfLine returns where the first line of buf ends; nothing before from does end it.
func endOfLine(buf []byte, from int) int {
	rest := buf[from:]
	end := bytes.IndexByte(rest, '\n')
	if end >= 0 {
		rest = rest[:end]
	}
	if nul := bytes.IndexByte(rest, 0); nul >= 0 {
		end = nul
	}
	if end < 0 {
		return -1
	}
	return from + end
}
