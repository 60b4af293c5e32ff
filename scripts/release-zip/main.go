// Command release-zip writes a zip archive whose files can all be executed, as AWS Lambda takes them: the files by their own
// names in the order of those, all of one time. The same files give the same bytes. scripts/release runs it.
package main

import (
	"archive/zip"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release-zip:", err)
		os.Exit(1)
	}
}

// run writes an archive of: seconds since 1970, files.
func run(args []string, to io.Writer) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: release-zip EPOCH FILE, one or several")
	}
	seconds, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("EPOCH is %q; it must be a number of seconds: %w", args[0], err)
	}
	files := slices.SortedFunc(slices.Values(args[1:]), func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	archive := zip.NewWriter(to)
	for _, file := range files {
		if err := add(archive, file, time.Unix(seconds, 0).UTC()); err != nil {
			return err
		}
	}
	return archive.Close()
}

func add(archive *zip.Writer, file string, at time.Time) error {
	header := &zip.FileHeader{Name: filepath.Base(file), Method: zip.Deflate, Modified: at}
	header.SetMode(0o755)
	to, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	_, err = io.Copy(to, from)
	return err
}
