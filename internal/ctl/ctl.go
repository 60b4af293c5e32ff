package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// Exit codes. Scripts rely on them; docs/ctl.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1 // anything else
	exitUsage       = 2 // the command line is wrong
	exitForbidden   = 3 // no valid credential, or one that may not
	exitNotFound    = 4
	exitConflict    = 5 // it exists, or was changed by somebody else
	exitInvalid     = 6 // the server refuses what was sent
	exitUnavailable = 7 // may succeed later
)

// Options is what a run gets from its process.
type Options struct {
	Args     []string // without the program's name and "ctl"
	In       io.Reader
	Out, Err io.Writer
	// Getenv reads SEAMARK_ADDRESS, SEAMARK_TOKEN, SEAMARK_CONTEXT and SEAMARK_CTL_CONFIG.
	Getenv func(name string) string
	// ConfigDir is the user's folder for configurations; ctl.yaml and what belongs to it stand in its folder seamark. "" is for
	// who has none, such as a job: contexts need SEAMARK_CTL_CONFIG then.
	ConfigDir string
	// ReadPassword asks for a password without showing it; nil where there is no terminal.
	ReadPassword func(prompt string) (string, error)
	Version      string
	Now          func() time.Time
}

// run is one run of the command. It holds its context because it lives no longer than the one call of Run.
type run struct {
	Options
	ctx    context.Context
	global globals
	config *config
}

// globals are the flags that every command has.
type globals struct {
	context, address, tokenFile, output string
	help, noHeaders                     bool
}

// Run runs the command line and returns its exit code.
func Run(ctx context.Context, o Options) int {
	r := &run{Options: o, ctx: ctx}
	err := r.main()
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintln(o.Err, "seamark ctl:", describe(err))
	return codeOf(err)
}

// configPath returns the path of ctl.yaml, "" where there is no place for it.
func (r *run) configPath() string {
	if path := r.Getenv("SEAMARK_CTL_CONFIG"); path != "" || r.ConfigDir == "" {
		return path
	}
	return filepath.Join(r.ConfigDir, "seamark", "ctl.yaml")
}

func (r *run) main() error {
	if len(r.Args) > 0 && r.Args[0] == completeCommand {
		return r.complete(r.Args[1:])
	}
	words, flags, err := r.parseGlobals(r.Args)
	if err != nil {
		return err
	}
	if len(words) == 0 || words[0] == "help" {
		return r.helpOf(words)
	}
	if own, ok := ownCommands()[words[0]]; ok {
		if r.global.help {
			return r.print(own.help)
		}
		return own.run(r, words[1:], flags)
	}
	c, rest, err := findCommand(words)
	if err != nil || r.global.help {
		if err == nil || len(words) == 1 && r.global.help {
			return r.helpOf(words)
		}
		return err
	}
	return r.perform(c, rest, flags)
}

// usageError is a fault of the command line.
type usageError struct{ text string }

// Error implements error.
func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// codeOf returns the exit code that an error stands for.
func codeOf(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return exitFailed
	}
	switch {
	case client.IsStatus(e, http.StatusUnauthorized, http.StatusForbidden):
		return exitForbidden
	case client.IsNotFound(e):
		return exitNotFound
	case client.IsConflict(e):
		return exitConflict
	case e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError:
		return exitUnavailable
	case e.Status >= http.StatusBadRequest:
		return exitInvalid
	}
	return exitFailed
}

// describe writes an error for a person: the server's words, each faulty field, and what to do where that is clear.
func describe(err error) string {
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err.Error()
	}
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	for _, f := range e.Fields {
		text += fmt.Sprintf("\n  %s: %s", f.Pointer, f.Detail)
	}
	if e.ID != "" {
		text += fmt.Sprintf("\n(%s, request %s)", e.ID, e.RequestID)
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += "\nSign in with `seamark ctl login`, or set SEAMARK_TOKEN."
	case http.StatusPreconditionFailed:
		if e.ETag != "" {
			text += "\nThe version of now is " + e.ETag + "."
		}
	}
	return text
}

func (r *run) print(text string) error {
	_, err := fmt.Fprintln(r.Out, text)
	return err
}
