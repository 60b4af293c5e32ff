package backup_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// forms returns the ways in which text may stand in a file: as it is, in hex, in URLs, and in base 64 at each of the three
// offsets that it may have in a longer text.
func forms(text string) []string {
	list := []string{text, hex.EncodeToString([]byte(text)), url.QueryEscape(text)}
	for pad := range 3 {
		code := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", pad) + text))
		// The first and last digits depend on the neighbours.
		list = append(list, code[pad+1:len(code)-2], strings.NewReplacer("+", "-", "/", "_").Replace(code[pad+1:len(code)-2]))
	}
	return list
}

// addFiles reads every file below a folder.
func addFiles(t *testing.T, to map[string][]byte, folder, prefix string) {
	t.Helper()
	nats := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) { // a running engine removes files
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		name, _ := filepath.Rel(folder, path)
		if to[prefix+name] = text; strings.Contains(name, "KV_seamark_alertmanager") && strings.HasSuffix(name, ".blk") && len(text) > 0 {
			nats++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if nats == 0 {
		t.Error("the blocks of the receivers' bucket were not among the files: the test looked in the wrong place")
	}
}

// inflated returns the lines of a backup, with the values of its documents in plain.
func inflated(t *testing.T, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	_, frame, _ := strings.Cut(string(body), "\n")
	text, err := z.DecodeAll([]byte(frame), nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeUnlessEmpty(path, text string) error {
	if text == "" {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

func contextWithin(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), within)
}
