package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSameFilesSameBytes: neither the folder, nor the files' modes and times, nor the order in which they are told gets in.
func TestSameFilesSameBytes(t *testing.T) {
	made := func(mode os.FileMode, at time.Time, order ...string) []byte {
		folder := t.TempDir()
		args := []string{"1700000000"}
		for _, name := range order {
			file := filepath.Join(folder, name)
			if err := os.WriteFile(file, []byte("this is "+name), mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
			args = append(args, file)
		}
		var out bytes.Buffer
		if err := run(args, &out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	one := made(0o755, time.Unix(1, 0), "seamark", "bootstrap")
	if two := made(0o600, time.Now(), "bootstrap", "seamark"); !bytes.Equal(one, two) {
		t.Error("two archives of the same files differ")
	}
	archive, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"bootstrap", "seamark"} {
		f := archive.File[i]
		if f.Name != name || f.Mode() != 0o755 || f.Modified.Unix() != 1700000000 {
			t.Errorf("entry %d: %s, %s, %s; want %s, which can be executed, of 1700000000", i, f.Name, f.Mode(), f.Modified, name)
		}
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(from); err != nil || string(text) != "this is "+name {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
}

func TestUnusableArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"1700000000"}, {"today", "main.go"}, {"1700000000", "missing"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
