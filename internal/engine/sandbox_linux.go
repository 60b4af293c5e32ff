package engine

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confine takes from the calling thread, and from every thread it starts, all files except the engine's own folder and
// what any process reads of the system. The engine runs as clickhouse-local, whose scalar function file() reads any path
// for any user: without this a tenant's SELECT could read the bus, keys and the parent's environment. What it cannot do is
// keep tenants apart inside the data folder; that is the work of the statement guard, which refuses file().
//
// It must be called on the thread that then enters the engine, which starts all the others.
func confine(folder string) error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("kernel without Landlock: %w", errno)
	}
	// The first version forbids every rename across folders, which the engine does.
	if abi < 2 {
		return errors.New("kernel with Landlock version 1, need 2 (Linux 5.19)")
	}
	handled := uint64(unix.LANDLOCK_ACCESS_FS_REFER<<1 - 1)
	if abi >= 3 {
		handled |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled}
	// Only the first field is used, so only it is passed: an older kernel does not know the others.
	ruleset, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("create Landlock rules: %w", errno)
	}
	defer func() { _ = unix.Close(int(ruleset)) }()

	const never = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK
	if err := allow(int(ruleset), folder, handled&^never); err != nil {
		return err
	}
	for _, path := range systemPaths() {
		// A path that this system lacks cannot be needed.
		if err := allow(int(ruleset), path, readAccess); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	if err := allow(int(ruleset), "/dev/null", readAccess|unix.LANDLOCK_ACCESS_FS_WRITE_FILE); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0, 0); errno != 0 {
		return fmt.Errorf("apply Landlock rules: %w", errno)
	}
	return nil
}

const readAccess = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR

// systemPaths are public facts about the machine: libraries, time zones, names, and the counters that the engine sizes
// its pools and memory by.
func systemPaths() []string {
	return []string{
		"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo",
		"/etc/localtime", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
		"/etc/ssl/certs",
		"/proc/self", "/proc/cpuinfo", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/uptime", "/proc/version",
		"/proc/vmstat", "/proc/sys", "/sys",
		"/dev/random", "/dev/urandom", "/dev/zero",
	}
}

// allow adds one path, with all beneath it, to the rules. Rights that only folders have are dropped for a file.
func allow(ruleset int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = unix.Close(fd) }()
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("allow %s: %w", path, errno)
	}
	return nil
}
