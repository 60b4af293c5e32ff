package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mounts looks at how the disk below a folder is mounted. existing is the folder, or the one above it that exists.
func (e *exam) mounts(dir, existing string) {
	kind, options := e.mountOf(existing)
	if kind == "" {
		return // not Linux, or a sandbox without /proc
	}
	if slices.Contains(options, "discard") {
		e.warn("mount", "Mount it without discard and run fstrim by a timer (fstrim.timer of systemd), or give NATS a disk of its own.",
			"%s is on %s mounted with discard: where the disk is slow at that, acknowledgements wait while ClickHouse deletes the files of merged parts", dir, kind)
		return
	}
	e.ok("mount", "%s is on %s without discard", dir, kind)
}

// mountOf returns the kind of the file system that a folder is on and the options of its mount and of itself, nothing where the
// kernel does not tell (proc_pid_mountinfo(5)).
func (e *exam) mountOf(dir string) (kind string, options []string) {
	text, err := os.ReadFile(e.path("/proc/self/mountinfo"))
	if err != nil {
		return "", nil
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil
	}
	longest := -1
	for line := range strings.Lines(string(text)) {
		mount, system, ok := strings.Cut(line, " - ")
		m, s := strings.Fields(mount), strings.Fields(system)
		if !ok || len(m) < 6 || len(s) < 3 {
			continue
		}
		at := unescapeMount.Replace(m[4])
		if !contains(at, dir) || len(at) < longest { // of two mounts at one place the later hides the other
			continue
		}
		longest, kind = len(at), s[0]
		options = append(strings.Split(m[5], ","), strings.Split(s[2], ",")...)
	}
	return kind, options
}

// unescapeMount undoes the kernel's escapes in the name of a mount point.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// contains reports whether a folder is another or within it. Both names are clean and absolute.
func contains(folder, name string) bool {
	return folder == "/" || name == folder || strings.HasPrefix(name, folder+"/")
}
