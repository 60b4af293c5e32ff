package backup_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/seamarkhq/seamark/internal/backup"
)

// sample is a small backup without sealed secrets.
func sample(t testing.TB) *backup.Backup {
	t.Helper()
	b, err := backup.New("v1", time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), []backup.Bucket{
		{Name: "seamark_tenants", Revision: 9, MaxBytes: 1 << 20, Documents: 2}, {Name: "seamark_users", Revision: 3, Documents: 1},
	}, []backup.Document{
		{Bucket: "seamark_tenants", Key: "counter.number", Revision: 4, Value: []byte(`{"v":1,"last":1}`)},
		{Bucket: "seamark_tenants", Key: "slug.acme", Revision: 7, Value: []byte(`{"v":1}`)},
		{Bucket: "seamark_users", Key: "user.ab", Revision: 2, Value: []byte("\x00\xff<&>\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func written(t testing.TB, b *backup.Backup) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := backup.Write(&file, b); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestFileRoundTrip(t *testing.T) {
	want := sample(t)
	got, err := backup.Read(bytes.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

// TestDamagedFiles changes and cuts a file at each byte. A few bytes of zstd's frame say nothing of the content; where a
// changed file is read all the same it must have the same content.
func TestDamagedFiles(t *testing.T) {
	want := sample(t)
	file := written(t, want)
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 0x41
		if got, err := backup.Read(bytes.NewReader(changed)); err == nil && !cmp.Equal(want, got) {
			t.Errorf("byte %d of %d changed: read as %+v", i, len(file), got)
		}
		if _, err := backup.Read(bytes.NewReader(file[:i])); err == nil {
			t.Errorf("cut to %d of %d bytes: read", i, len(file))
		}
	}
	if _, err := backup.Read(bytes.NewReader(append(bytes.Clone(file), "more"...))); err == nil {
		t.Error("a file with more behind its end was read")
	}
}

// TestForgedFiles changes the lines and keeps the rest of the file as it was.
func TestForgedFiles(t *testing.T) {
	lines := inflate(t, written(t, sample(t)))
	for name, change := range map[string]func([]string) []string{
		"document gone":    func(l []string) []string { return append(l[:1:1], l[2:]...) },
		"document twice":   func(l []string) []string { return append(append(l[:2:2], l[1]), l[2:]...) },
		"documents turned": func(l []string) []string { return []string{l[0], l[2], l[1], l[3], l[4]} },
		"value changed":    func(l []string) []string { l[2] = strings.Replace(l[2], `"value":"`, `"value":"AAAA`, 1); return l },
		"header changed":   func(l []string) []string { l[0] = strings.Replace(l[0], `"v1"`, `"v2"`, 1); return l },
		"end gone":         func(l []string) []string { return l[:len(l)-1] },
		"nothing":          func([]string) []string { return nil },
	} {
		if _, err := backup.Read(bytes.NewReader(deflate(t, change(append([]string(nil), lines...))))); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := backup.Read(bytes.NewReader(deflate(t, lines))); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// TestForeignDocuments puts into a backup what must never be restored.
func TestForeignDocuments(t *testing.T) {
	for _, d := range []backup.Document{
		{Bucket: "seamark_sessions", Key: "session.x", Value: []byte("{}")},
		{Bucket: "seamark_tenants", Key: "beat", Value: []byte("{}")},
		{Bucket: "seamark_alertstate", Key: "01ARZ3NDEKTSV4RRFFQ69G5FAA.nflog.x", Value: []byte("{}")},
		{Bucket: "other", Key: "x", Value: []byte("{}")},
		{Bucket: "seamark_tenants", Key: "", Value: []byte("{}")},
	} {
		if _, err := backup.New("v1", time.Now(), []backup.Bucket{{Name: d.Bucket, Documents: 1}}, []backup.Document{d}); err == nil {
			t.Errorf("%s %s: taken", d.Bucket, d.Key)
		}
	}
}

// TestBombs reads small files that inflate to lines without end.
func TestBombs(t *testing.T) {
	if _, err := backup.Read(bytes.NewReader(deflate(t, []string{strings.Repeat("x", 26<<20)}))); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("a line of 26 MiB: got %v", err)
	}
}

const magic = "seamark-backup 1\n"

func inflate(t testing.TB, file []byte) []string {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := z.DecodeAll(file[len(magic):], nil)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

func deflate(t testing.TB, lines []string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return append([]byte(magic), z.EncodeAll([]byte(text), nil)...)
}

// FuzzRead feeds lines to the reader: whatever it takes can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(strings.Join(inflate(f, written(f, sample(f))), "")), false)
	f.Add(written(f, sample(f)), true)
	f.Add([]byte(`{"version":1,"buckets":[]}`+"\n"+`{"end":true}`+"\n"), false)
	f.Fuzz(func(t *testing.T, body []byte, whole bool) {
		if !whole {
			body = deflate(t, []string{string(body)})
		}
		b, err := backup.Read(bytes.NewReader(body))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "this is not a whole backup: ") {
				t.Errorf("the error %q does not say what the file is", err)
			}
			return
		}
		again, err := backup.Read(bytes.NewReader(written(t, b)))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		one, _ := json.Marshal(b)
		two, _ := json.Marshal(again)
		if !bytes.Equal(one, two) {
			t.Errorf("read %s, then %s", one, two)
		}
	})
}
