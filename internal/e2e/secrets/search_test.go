package secrets_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// needle is one form of a text that is looked for.
type needle struct{ name, form string }

// search looks for many texts at once: a folder of files is large, and each text has many forms.
type search struct {
	t      *testing.T
	first  [1 << 16]bool       // whether a needle begins with these two bytes
	byHead map[string][]needle // by their first four bytes
	marked map[string]bool     // kinds of places that the marker was found in
	leaks  map[string]bool     // that were reported
}

// marker is the name that the control has: a text that is no secret and has to be found in every kind of place.
const marker = "marker"

func newSearch(t *testing.T, texts map[string][]string) *search {
	t.Helper()
	s := &search{t: t, byHead: map[string][]needle{}, marked: map[string]bool{}, leaks: map[string]bool{}}
	for name, list := range texts {
		for _, text := range list {
			if len(text) < 12 {
				t.Fatalf("%s: %q is too short to be told from other text", name, text)
			}
			for _, form := range forms(t, text) {
				s.first[uint16(form[0])<<8|uint16(form[1])] = true
				s.byHead[form[:4]] = append(s.byHead[form[:4]], needle{name, form})
			}
		}
	}
	return s
}

// forms returns the ways in which text may stand somewhere: as it is, in JSON, in URLs, in hex, and in base 64 at each of the
// three offsets that it may have in a longer text.
func forms(t *testing.T, text string) []string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	code := hex.EncodeToString([]byte(text))
	list := []string{text, string(quoted[1 : len(quoted)-1]), url.QueryEscape(text), url.PathEscape(text), code, strings.ToUpper(code)}
	for pad := range 3 {
		code := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", pad) + text))
		code = code[pad+1 : len(code)-2] // the first and last digits depend on the neighbours
		list = append(list, code, strings.NewReplacer("+", "-", "/", "_").Replace(code))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// look searches one place, and what is packed in it; kind is its sort, for the control.
func (s *search) look(kind, where string, text []byte) {
	s.t.Helper()
	s.scan(kind, where, text)
	if inner := unpack(text); inner != nil {
		s.look(kind, where+" (unpacked)", inner)
	}
}

func (s *search) scan(kind, where string, text []byte) {
	s.t.Helper()
	for i := range len(text) - 3 {
		if !s.first[uint16(text[i])<<8|uint16(text[i+1])] {
			continue
		}
		for _, n := range s.byHead[string(text[i:i+4])] {
			if !bytes.HasPrefix(text[i:], []byte(n.form)) {
				continue
			}
			if n.name == marker {
				s.marked[kind] = true
				continue
			}
			if key := n.name + " in " + where; !s.leaks[key] {
				s.leaks[key] = true
				s.t.Errorf("%s stands in %s: ...%q...", n.name, where, text[max(0, i-120):min(len(text), i+len(n.form)+20)])
			}
		}
	}
}

// unpack returns what a compressed text holds, nil for what is none.
func unpack(text []byte) []byte {
	var r io.Reader
	switch {
	case bytes.HasPrefix(text, []byte{0x1f, 0x8b, 8}):
		if z, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
			r = z
		}
	case bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		if z, err := zstd.NewReader(bytes.NewReader(text)); err == nil {
			defer z.Close()
			r = z
		}
	case bytes.HasPrefix(text, []byte("\xff\x06\x00\x00sNaPpY")), bytes.HasPrefix(text, []byte("\xff\x06\x00\x00S2sTwO")):
		r = s2.NewReader(bytes.NewReader(text))
	}
	if r == nil {
		return nil
	}
	inner, _ := io.ReadAll(r) // of what is cut off, what there is
	return inner
}

// lookArchive searches every file of a tar archive.
func (s *search) lookArchive(kind, where string, archive []byte) {
	s.t.Helper()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.t.Fatalf("%s: %v", where, err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			s.t.Fatalf("%s: %s: %v", where, head.Name, err)
		}
		s.look(kind, where+" "+head.Name, text)
	}
}

// lookFolder searches every file below a folder. Each folder at its top is a kind of place of its own, and so are the buckets.
func (s *search) lookFolder(folder string) {
	s.t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		kind, _, _ := strings.Cut(name, string(filepath.Separator))
		for part := range strings.SplitSeq(name, string(filepath.Separator)) {
			if strings.HasPrefix(part, "KV_") {
				kind = part
			}
		}
		s.look("file "+kind, name, text)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
