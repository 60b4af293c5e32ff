// Command release-sbom prints the bill of materials of a release as CycloneDX 1.6 JSON: the Go modules that the linker has put
// into the binary, as the binary itself tells, and the npm packages that lock files name, without those for development. The
// same release gives the same bytes. scripts/release runs it.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release-sbom:", err)
		os.Exit(1)
	}
}

// run prints the bill of materials for: version, seconds since 1970, binary, lock files.
func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: release-sbom VERSION EPOCH BINARY [package-lock.json ...]")
	}
	seconds, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("EPOCH is %q; it must be a number of seconds: %w", args[1], err)
	}
	info, err := buildinfo.ReadFile(args[2])
	if err != nil {
		return err
	}
	parts := goComponents(info)
	for _, path := range args[3:] {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		packages, err := npmComponents(text)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		parts = append(parts, packages...)
	}
	b, err := newBill(args[0], time.Unix(seconds, 0), parts)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(b)
}
