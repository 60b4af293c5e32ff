package engine

import "strings"

// decolorizeStage takes out the control sequences of terminals (ECMA-48): colours, cursor movements and window titles.
type decolorizeStage struct{}

const escape = '\x1b'

// process implements stage.
func (decolorizeStage) process(line string, _ *lineLabels) (string, bool) {
	at := strings.IndexByte(line, escape)
	if at < 0 {
		return line, true
	}
	var b strings.Builder
	b.Grow(len(line))
	for at >= 0 {
		b.WriteString(line[:at])
		line = line[at+sequenceLen(line[at:]):]
		at = strings.IndexByte(line, escape)
	}
	b.WriteString(line)
	return b.String(), true
}

// sequenceLen returns the length of the sequence that s begins with. One that is cut off or is none is its escape alone.
func sequenceLen(s string) int {
	if len(s) < 2 {
		return 1
	}
	switch c := s[1]; {
	case c == '[':
		return controlLen(s)
	case c == ']', c == 'P', c == 'X', c == '^', c == '_':
		return stringLen(s)
	case c >= 0x20 && c <= 0x2f: // intermediate bytes, then a final one: ESC ( B
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x30 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < 0x20 || s[i] > 0x2f {
				break
			}
		}
	case c >= 0x30 && c <= 0x7e:
		return 2
	}
	return 1
}

// controlLen measures ESC [ parameters intermediates final.
func controlLen(s string) int {
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x40 && c <= 0x7e:
			return i + 1
		case c < 0x20 || c > 0x3f:
			return 1
		}
	}
	return 1
}

// stringLen measures ESC ] text, which a bell or ESC \ ends.
func stringLen(s string) int {
	for i := 2; i < len(s); i++ {
		switch {
		case s[i] == '\a':
			return i + 1
		case s[i] == escape && i+1 < len(s) && s[i+1] == '\\':
			return i + 2
		case s[i] == '\n':
			return 1
		}
	}
	return 1
}
