package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const flagsHead = `# Flags

Every flag can also be set in the environment, under the name in the second column, and in a YAML file that ` + "`--config`" + `
names: ` + "`--http.listen`" + ` is ` + "`http: {listen: ...}`" + ` there. A flag wins over the environment, which wins over the file.
A file with a name that no flag has is refused.

`

// Flags renders docs/flags.md from the command line's model.
func Flags(model *kong.Application) string {
	var b strings.Builder
	b.WriteString(notice + flagsHead)
	b.WriteString("## Servers\n\n`serve` and the roles that run alone (`ingest`, `writer`, `querier`, `alerting`, `api`) take these.\n\n")
	server := map[*kong.Flag]bool{}
	role := child(model.Node, "writer")
	writeFlags(&b, role.Flags)
	shared := map[string]bool{}
	for _, f := range role.Flags {
		shared[f.Name] = true
	}
	for _, c := range model.Children {
		for _, f := range c.Flags {
			// serve and the roles have the whole set; other commands that share a name have a few.
			server[f] = shared[f.Name] && len(c.Flags) >= len(role.Flags)
		}
	}
	b.WriteString("\n## Commands\n")
	writeCommands(&b, model.Node, server)
	return b.String()
}

// writeCommands writes the commands below node, each with the flags that it adds to those of the commands above it.
func writeCommands(b *strings.Builder, node *kong.Node, server map[*kong.Flag]bool) {
	for _, c := range node.Children {
		flags := slices.DeleteFunc(slices.Clone(c.Flags), func(f *kong.Flag) bool { return f.Hidden || server[f] })
		if len(c.Children) == 0 || len(flags) > 0 {
			fmt.Fprintf(b, "\n### %s%s\n\n%s\n", c.FullPath(), arguments(c), c.Help)
		}
		if len(flags) > 0 {
			b.WriteString("\n")
			writeFlags(b, flags)
		}
		writeCommands(b, c, server)
	}
}

func child(node *kong.Node, name string) *kong.Node {
	at := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == name })
	return node.Children[at]
}

func arguments(node *kong.Node) string {
	var b strings.Builder
	for _, a := range node.Positional {
		b.WriteString(" " + a.Summary())
	}
	return cell(b.String())
}

func writeFlags(b *strings.Builder, flags []*kong.Flag) {
	b.WriteString("| flag | environment | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, f := range flags {
		if !f.Hidden {
			fmt.Fprintf(b, "| `--%s` | %s | %s | %s |\n", f.Name, code(strings.Join(f.Envs, ", ")), code(f.Default), cell(meaning(f)))
		}
	}
}

func meaning(f *kong.Flag) string {
	if f.Enum != "" && !strings.Contains(f.Help, strings.Split(f.Enum, ",")[0]) {
		return strings.TrimSuffix(f.Help, ".") + ": " + strings.ReplaceAll(f.Enum, ",", ", ") + "."
	}
	return f.Help
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
