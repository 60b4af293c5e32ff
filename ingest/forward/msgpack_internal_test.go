package forward

import (
	"bytes"
	"testing"
)

// sizeInSteps lets data arrive step bytes at a time.
func sizeInSteps(data []byte, limit, step int) (int, fault) {
	var s sizer
	for have := 0; ; have += step {
		n, f := s.size(data[:min(have, len(data))], limit)
		if n > 0 || f != faultNone || have >= len(data) {
			return n, f
		}
	}
}

func TestSizer(t *testing.T) {
	const limit = 100
	long := bytes.Repeat([]byte("x"), 60)
	for name, c := range map[string]struct {
		data  []byte
		size  int
		fault fault
	}{
		"nil":                          {[]byte{0xc0, 0xc0}, 1, faultNone},
		"an empty array":               {[]byte{0x90, 0xc0}, 1, faultNone},
		"nested arrays":                {[]byte{0x92, 0x91, 0x90, 0x81, 0xa1, 'k', 0x05, 0xff}, 7, faultNone},
		"text":                         {append([]byte{0xd9, 60}, long...), 62, faultNone},
		"a map with text":              {append([]byte{0x81, 0xa1, 'k', 0xda, 0, 60}, long...), 66, faultNone},
		"a fixed extension":            {[]byte{0xd7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 10, faultNone},
		"an extension":                 {[]byte{0xc7, 3, 9, 1, 2, 3, 4}, 6, faultNone},
		"cut in text":                  {append([]byte{0xd9, 61}, long...), 0, faultNone},
		"cut in a header":              {[]byte{0x91, 0xdb, 0, 0}, 0, faultNone},
		"cut between elements":         {[]byte{0x93, 1, 2}, 0, faultNone},
		"a byte of nothing":            {[]byte{0x91, 0xc1}, 0, faultNever},
		"text over the limit":          {[]byte{0xdb, 0, 0, 0, 101}, 0, faultLarge},
		"text of four billion":         {[]byte{0xdb, 0xff, 0xff, 0xff, 0xff}, 0, faultLarge},
		"an array of four billion":     {[]byte{0xdd, 0xff, 0xff, 0xff, 0xff}, 0, faultLarge},
		"a map of four billion":        {[]byte{0xdf, 0xff, 0xff, 0xff, 0xff}, 0, faultLarge},
		"two texts over it together":   {bytes.Join([][]byte{{0x92, 0xd9, 60}, long, {0xd9, 60}}, nil), 0, faultLarge},
		"an array that cannot fit":     {append([]byte{0x92, 0xd9, 60}, append(long, 0xdc, 0, 60)...), 0, faultLarge},
		"exactly the limit":            {append([]byte{0xd9, 98}, bytes.Repeat([]byte("x"), 98)...), 100, faultNone},
		"one byte more than the limit": {append([]byte{0xd9, 99}, bytes.Repeat([]byte("x"), 99)...), 0, faultLarge},
	} {
		for step := 1; step <= len(c.data)+1; step++ {
			if n, f := sizeInSteps(c.data, limit, step); n != c.size || f != c.fault {
				t.Errorf("%s, %d bytes at a time: got %d and fault %d, want %d and %d", name, step, n, f, c.size, c.fault)
			}
		}
	}
}

// FuzzSizer: the end that is found while bytes arrive is the one that is found when they are all there.
func FuzzSizer(f *testing.F) {
	for _, s := range []string{"\xc0", "\x92\xa1a\x81\xa1b\x05", "\xd9\x03abc", "\xdd\x00\x00\x00\x02\x01\x02", "\xc7\x01\x00x", "\x91\xc1", "\xcb12345678"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		const limit = 1 << 10
		n, fault := sizeInSteps(data, limit, int(step)+1)
		if n > limit || n > 0 && fault != faultNone {
			t.Fatalf("got %d and fault %d", n, fault)
		}
		r := reader{buf: data}
		raw, ok := r.skip()
		if ok != (n > 0) && fault != faultLarge || ok && fault == faultNone && len(raw) != n {
			t.Fatalf("in steps: %d, fault %d; at once: %d, %v", n, fault, len(raw), ok)
		}
	})
}
