package ctl

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/seamarkhq/seamark/api/client"
)

const intro = `seamark ctl calls the API of a Seamark server.

  seamark ctl NOUN VERB [ARGUMENT...] [--flag value...]

Every command has --help. These flags are for all of them:
  -o, --output table|json|yaml   form of the answer; a table unless told
  -c, --context NAME             server and credential to use, also SEAMARK_CONTEXT
      --address URL              server, also SEAMARK_ADDRESS
      --token-file FILE          file with a token; SEAMARK_TOKEN is the token itself
      --no-headers               leave out the head of a table
`

// helpOf explains what the words name.
func (r *run) helpOf(words []string) error {
	if len(words) > 0 && words[0] == "help" {
		words = words[1:]
	}
	if len(words) == 0 {
		return r.overview()
	}
	if o, ok := ownCommands()[words[0]]; ok {
		return r.print(o.help)
	}
	if c, _, err := findCommand(words); err == nil {
		return r.helpOfCommand(c)
	}
	for _, res := range resources() {
		if res.noun == words[0] || res.noun+"s" == words[0] {
			w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
			if err := writeCommands(w, &res); err != nil {
				return err
			}
			return w.Flush()
		}
	}
	_, _, err := findCommand(words)
	return err
}

func (r *run) overview() error {
	_, _ = fmt.Fprintf(r.Out, "%s\n", intro)
	w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, res := range resources() {
		verbs := make([]string, len(res.commands))
		for i := range res.commands {
			verbs[i] = res.commands[i].verb
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", res.noun, strings.Join(verbs, ", "))
	}
	_, _ = fmt.Fprintln(w, "  call\tOPERATION: any operation of the API by its operationId")
	for _, name := range ownNames() {
		if o, ok := ownCommands()[name]; ok {
			sentence, _, _ := strings.Cut(o.help, "\n")
			_, _ = fmt.Fprintf(w, "  %s\t%s\n", name, sentence)
		}
	}
	return w.Flush()
}

func writeCommands(w *tabwriter.Writer, res *resource) error {
	for i := range res.commands {
		c := &res.commands[i]
		op, err := c.describe()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "  seamark ctl %s %s%s\t%s\n", c.noun, c.verb, arguments(op), op.Summary)
	}
	return nil
}

func arguments(op *client.Operation) string {
	text := ""
	for _, p := range op.Params {
		if p.In == "path" {
			text += " " + strings.ToUpper(p.Name)
		}
	}
	return text
}

// helpOfCommand explains one command from the description of its operation.
func (r *run) helpOfCommand(c *command) error {
	op, err := c.describe()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(r.Out, "%s\n\n  seamark ctl %s %s%s [flags]\n\n", op.Summary, c.noun, c.verb, arguments(op))
	w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	for _, p := range op.Params {
		if p.In != "path" {
			_, _ = fmt.Fprintf(w, "  --%s\t%s\n", flagOf(p.Name), hint(&p))
		}
	}
	if len(op.Body) > 0 {
		_, _ = fmt.Fprintf(w, "  -f, --file FILE\tthe document, in YAML or JSON; - is the standard input\n")
		for _, p := range op.Fields {
			_, _ = fmt.Fprintf(w, "  --%s\t%s\n", flagOf(p.Name), hint(&p))
		}
	}
	_, _ = fmt.Fprintf(w, "\t\n  It is %s %s (%s).\n", op.Method, op.Path, op.ID)
	return w.Flush()
}

// hint is what a flag's line says of its value.
func hint(p *client.Param) string {
	parts := []string{}
	if p.Description != "" {
		parts = append(parts, p.Description)
	}
	switch {
	case len(p.Enum) > 0:
		parts = append(parts, "One of "+strings.Join(p.Enum, ", ")+".")
	case p.Type == "array":
		parts = append(parts, "May stand there several times.")
	case p.Type == "object":
		parts = append(parts, "In YAML.")
	}
	if p.Required {
		parts = append(parts, "Required.")
	}
	return strings.Join(parts, " ")
}
