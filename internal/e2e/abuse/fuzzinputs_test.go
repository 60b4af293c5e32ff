package abuse

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// found is what fuzzing has found on this machine so far, in the build cache, where `make fuzz` leaves it.
var found = sync.OnceValue(func() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return ""
	}
	return filepath.Join(strings.TrimSpace(string(out)), "fuzz", "github.com", "seamarkhq", "seamark", "ingest")
})

// fuzzInputs reads the inputs of fuzz targets: those that are checked in, and those that fuzzing has found here.
func fuzzInputs(t *testing.T, targets []string) [][]byte {
	t.Helper()
	var list [][]byte
	for _, target := range targets {
		decoder, name, _ := strings.Cut(target, "/")
		source := filepath.Join("..", "..", "..", "ingest", decoder)
		if _, err := os.Stat(source); err != nil {
			t.Fatalf("fuzz target %s: %v", target, err)
		}
		folders := []string{filepath.Join(source, "testdata", "fuzz", name)}
		if found() != "" {
			folders = append(folders, filepath.Join(found(), decoder, name))
		}
		for _, folder := range folders {
			files, err := filepath.Glob(filepath.Join(folder, "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, inputsOf(text)...)
			}
		}
	}
	return list
}

// inputsOf returns the text arguments of one input in the form of Go's fuzzing: `[]byte("...")` or `string("...")` on a line.
func inputsOf(file []byte) [][]byte {
	var list [][]byte
	for line := range bytes.Lines(file) {
		text := strings.TrimSpace(string(line))
		for _, head := range []string{"[]byte(", "string("} {
			if quoted, ok := strings.CutPrefix(text, head); ok {
				if plain, err := strconv.Unquote(strings.TrimSuffix(quoted, ")")); err == nil {
					list = append(list, []byte(plain))
				}
			}
		}
	}
	return list
}
