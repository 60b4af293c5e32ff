package ctl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/api/client"
)

// completeCommand is what the shells' scripts call with the words so far; the last one is what is being typed.
const completeCommand = "__complete"

// scripts are the completions of the shells. Each asks this program, so that they never grow old.
func scripts() map[string]string {
	return map[string]string{
		"bash": `_seamark_ctl() {
    [ "${COMP_WORDS[1]}" = ctl ] || return
    local IFS=$'\n'
    COMPREPLY=($(seamark ctl __complete "${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null))
}
complete -o default -F _seamark_ctl seamark`,
		"zsh": `#compdef seamark
_seamark_ctl() {
    [ "${words[2]}" = ctl ] || return
    local -a found
    found=("${(@f)$(seamark ctl __complete "${(@)words[3,CURRENT]}" 2>/dev/null)}")
    [ -n "${found[1]}" ] && compadd -a found || _files
}
compdef _seamark_ctl seamark`,
		"fish": `function __seamark_ctl
    set -l words (commandline -opc) (commandline -ct)
    seamark ctl __complete $words[3..-1] 2>/dev/null
end
complete -c seamark -n '__fish_seen_subcommand_from ctl' -f -a '(__seamark_ctl)'`,
	}
}

func completion(r *run, words []string, f flags) error {
	if err := f.rest("completion"); err != nil {
		return err
	}
	if len(words) == 1 {
		if script, ok := scripts()[words[0]]; ok {
			return r.print(script)
		}
	}
	return usagef("completion takes bash, zsh or fish")
}

// complete prints what may stand in the place of the last word, one in a line.
func (r *run) complete(words []string) error {
	if len(words) == 0 {
		words = []string{""}
	}
	typed := words[len(words)-1]
	for _, candidate := range r.candidates(words[:len(words)-1], typed) {
		if strings.HasPrefix(candidate, typed) {
			if _, err := fmt.Fprintln(r.Out, candidate); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) candidates(before []string, typed string) []string {
	if len(before) > 0 && strings.HasPrefix(before[len(before)-1], "-") {
		if values := r.valuesOf(before); values != nil {
			return values
		}
	}
	words, _, err := parseArgs(before)
	if err != nil {
		return nil // a flag whose value is being typed
	}
	if strings.HasPrefix(typed, "-") {
		return flagsOf(words)
	}
	switch {
	case len(words) == 0:
		var nouns []string
		for _, res := range resources() {
			nouns = append(nouns, res.noun)
		}
		return append(nouns, ownNames()...)
	case len(words) == 1:
		return verbsOf(words[0])
	case words[0] == "context" && len(words) == 2 && words[1] != "list":
		return r.contextNames()
	}
	return nil
}

func verbsOf(noun string) []string {
	switch noun {
	case "context":
		return []string{"list", "use", "set", "delete"}
	case "completion":
		return slices.Sorted(maps.Keys(scripts()))
	case "call":
		var ids []string
		for _, op := range client.Operations() {
			ids = append(ids, op.ID)
		}
		return ids
	}
	var verbs []string
	for _, res := range resources() {
		if res.noun == noun || res.noun+"s" == noun {
			for i := range res.commands {
				verbs = append(verbs, res.commands[i].verb)
			}
		}
	}
	return verbs
}

func flagsOf(words []string) []string {
	list := []string{"--output", "--context", "--address", "--token-file", "--no-headers", "--help"}
	if len(words) < 2 {
		return list
	}
	for _, p := range paramsOfCommand(words) {
		list = append(list, "--"+flagOf(p.Name))
	}
	return list
}

// paramsOfCommand returns what can be a flag of the command that the words name.
func paramsOfCommand(words []string) []client.Param {
	c, _, err := findCommand(words)
	if err != nil {
		return nil
	}
	op, err := c.describe()
	if err != nil {
		return nil
	}
	var list []client.Param
	for _, p := range slices.Concat(op.Params, op.Fields) {
		if p.In != "path" {
			list = append(list, p)
		}
	}
	if len(op.Body) > 0 {
		list = append(list, client.Param{Name: "file"})
	}
	return list
}

// valuesOf returns the values of the flag that stands last; nil when it takes any, or none.
func (r *run) valuesOf(before []string) []string {
	name := strings.TrimLeft(before[len(before)-1], "-")
	if long, ok := shorts[name]; ok {
		name = long
	}
	switch name {
	case "output":
		return []string{"table", "json", "yaml"}
	case "context":
		return r.contextNames()
	}
	words, _, err := parseArgs(before[:len(before)-1])
	if err != nil || len(words) < 2 {
		return nil
	}
	for _, p := range paramsOfCommand(words) {
		if flagOf(p.Name) == name && len(p.Enum) > 0 {
			return p.Enum
		}
	}
	return nil
}

func (r *run) contextNames() []string {
	c, err := r.load()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.Contexts))
}
