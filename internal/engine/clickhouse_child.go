package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/seamarkhq/seamark/internal/child"
)

// ChildCommand is the subcommand under which the executable serves as the ClickHouse child: `seamark clickhouse-engine`.
const ChildCommand = "clickhouse-engine"

// Exit statuses of RunChild, beside 0 for an orderly end after stdin closed.
const (
	exitUsage  = 2
	exitFailed = 3
)

// RunChild is the body of the child process: it loads libchdb and serves until stdin closes. args are what
// StartClickHouse put behind ChildCommand: the library and the configuration file. It returns the exit status and must
// be called at the start of main, on the main goroutine, in a process that does nothing else.
func RunChild(args []string) int {
	// The engine keeps thread-local state for the thread that entered it, so the goroutine must not move while inside.
	runtime.LockOSThread()
	if len(args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s LIBRARY CONFIG (seamark starts this itself)\n", ChildCommand)
		return exitUsage
	}
	// Threads that compute for seconds leave the processor at once to those that wake up for microseconds.
	_ = child.SetSlice(child.ComputeSlice)
	if err := serveLibrary(args[0], args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}

// serveLibrary blocks inside the engine's own command line. It runs one statement that opens the listeners and then waits
// for more statements on stdin; nobody sends any, so the engine serves until stdin reaches its end.
func serveLibrary(library, config string) error {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load %s: %w", library, err)
	}
	var queryCmdline func(argc int32, argv unsafe.Pointer) uintptr
	purego.RegisterLibFunc(&queryCmdline, handle, "chdb_query_cmdline")
	var resultError func(result uintptr) string
	purego.RegisterLibFunc(&resultError, handle, "chdb_result_error")

	// After the library is loaded and before it starts a thread: threads inherit the sandbox of the one that starts them.
	if err := confine(filepath.Dir(config)); err != nil {
		// Old kernels still have to work.
		warn("ClickHouse engine runs without a file sandbox: %v", err)
	}
	if err := runIdle(); err != nil {
		warn("statements that read much have a low priority only, and slow down acknowledgements on the same processors more: %v", err)
	}

	argv, unpin := pinArgs([]string{
		"clickhouse", "--config-file=" + config, "--log-level=warning", "--interactive", "--disable_suggestion",
		"--history_file=/dev/null", "--progress=off", "--query=SYSTEM START LISTEN QUERIES ALL",
	})
	defer unpin()
	result := queryCmdline(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	if result == 0 {
		return nil
	}
	if message := resultError(result); message != "" {
		return fmt.Errorf("engine ended: %s", message)
	}
	return nil
}

// warn writes in the engine's own log form, so that the parent logs it with its level.
func warn(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s <Warning> %s\n", time.Now().UTC().Format(time.DateTime), fmt.Sprintf(format, args...))
}

// pinArgs builds a C argv (zero-terminated strings, a nil at the end). The engine keeps pointers into it, so nothing may
// move before unpin.
func pinArgs(args []string) (argv []*byte, unpin func()) {
	var pinner runtime.Pinner
	argv = make([]*byte, len(args)+1)
	for i, arg := range args {
		text := append([]byte(arg), 0)
		pinner.Pin(&text[0])
		argv[i] = &text[0]
	}
	pinner.Pin(&argv[0])
	return argv, pinner.Unpin
}
