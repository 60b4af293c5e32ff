package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/engine"
)

// readerFlag stands on the command line of the process that answers a server's queries.
const readerFlag = "--as-reader"

// EngineOf returns the process id of a server's embedded ClickHouse, which is a child of the server or of one of its children.
func EngineOf(server int) (int, error) { return descendant(server, engine.ChildCommand) }

// ReaderOf returns the process id of a server's child that answers its queries.
func ReaderOf(server int) (int, error) { return descendant(server, readerFlag) }

// descendant finds a process below another by a word of its command line.
func descendant(parent int, word string) (int, error) {
	for _, pid := range childrenOf(parent) {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue // it has ended
		}
		if strings.Contains(string(command), word) {
			return pid, nil
		}
		if found, err := descendant(pid, word); err == nil {
			return found, nil
		}
	}
	return 0, fmt.Errorf("process %d has no %s", parent, word)
}

func childrenOf(parent int) (pids []int) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		return nil
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
