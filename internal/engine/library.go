package engine

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// libraryName is the file that holds the whole ClickHouse engine.
const libraryName = "libchdb.so"

// findLibrary returns the path of libchdb. A path given by the operator must exist; without one the release layout
// (lib/ beside the executable) is tried first, then a source checkout upwards from the working folder and the executable.
func findLibrary(given string) (string, error) {
	if given != "" {
		if isFile(given) {
			return filepath.Abs(given)
		}
		return "", seamark.Errorf(seamark.Unavailable, "seamark-engine-missing",
			"The ClickHouse library %s does not exist. Correct the path, or run `make engine` in the source checkout.", given)
	}
	var starts []string
	if exe, err := os.Executable(); err == nil {
		folder := filepath.Dir(exe)
		if path := filepath.Join(folder, "lib", libraryName); isFile(path) {
			return path, nil
		}
		starts = append(starts, folder)
	}
	if cwd, err := os.Getwd(); err == nil {
		starts = append([]string{cwd}, starts...)
	}
	for _, start := range starts {
		if path, ok := findUpwards(start); ok {
			return path, nil
		}
	}
	return "", seamark.Errorf(seamark.Unavailable, "seamark-engine-missing",
		"The ClickHouse library %s was found neither in lib/ beside the executable nor in deploy/engine of a source checkout. "+
			"Run `make engine` to install it.", libraryName)
}

func findUpwards(start string) (string, bool) {
	for folder := start; ; folder = filepath.Dir(folder) {
		for _, pkg := range enginePackages() {
			path := filepath.Join(folder, "deploy", "engine", "node_modules", "@chdb", pkg, libraryName)
			if isFile(path) {
				return path, true
			}
		}
		if folder == filepath.Dir(folder) {
			return "", false
		}
	}
}

// enginePackages names the npm packages that carry the library for this machine.
func enginePackages() []string {
	cpu := runtime.GOARCH
	if cpu == "amd64" {
		cpu = "x64"
	}
	if runtime.GOOS == "darwin" {
		return []string{"lib-darwin-" + cpu}
	}
	return []string{"lib-" + runtime.GOOS + "-" + cpu + "-gnu"}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// FindLibrary returns the path of the engine's library as StartClickHouse would find it; given may be empty.
func FindLibrary(given string) (string, error) { return findLibrary(given) }
