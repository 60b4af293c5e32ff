package child

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// Parent is the process that has started this one.
type Parent struct {
	in  *bufio.Reader
	out io.Writer
}

// Listen reads what the parent sends as Options.Hello from in, this process's standard input.
func Listen(in io.Reader, out io.Writer, hello any) (*Parent, error) {
	p := &Parent{in: bufio.NewReader(in), out: out}
	line, err := p.in.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("hear from the process that has started this one: %w", err)
	}
	return p, json.Unmarshal(line, hello)
}

// Ready tells the parent that this process is ready, and what it has to know of it.
func (p *Parent) Ready(hello any) error { return json.NewEncoder(p.out).Encode(hello) }

// Wanted returns a context that ends with ctx or when the parent is gone or wants this process to end.
func (p *Parent) Wanted(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, p.in)
	}()
	return ctx
}
