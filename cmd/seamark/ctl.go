package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/seamarkhq/seamark/internal/ctl"
)

// ctlCmd hands its arguments to package ctl, which makes its commands from the API's description.
type ctlCmd struct {
	Args []string `arg:"" optional:"" passthrough:"" name:"command" help:"Noun, verb, arguments and flags; see 'seamark ctl help'."`
}

// Run calls the API of a server.
func (c *ctlCmd) Run(ctx context.Context) error {
	config, err := os.UserConfigDir()
	if err != nil {
		config = "" // jobs have no home; the commands that need the folder say so
	}
	o := ctl.Options{Args: c.Args, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, ConfigDir: config, Version: version, Now: time.Now}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		o.ReadPassword = readPassword
	}
	if code := ctl.Run(ctx, o); code != 0 {
		return exitCode(code)
	}
	return nil
}

// readPassword asks on the terminal, which shows nothing of what is typed.
func readPassword(prompt string) (string, error) {
	_, _ = fmt.Fprint(os.Stderr, prompt)
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	_, _ = fmt.Fprintln(os.Stderr)
	return string(text), err
}

// exitCode ends the process with a code of its own; what is to be said was said.
type exitCode int

// Error implements error.
func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }
