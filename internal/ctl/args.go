package ctl

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// flags are the flags of a command line that are no global ones, in the order in which they were given.
type flags map[string][]string

// take removes a flag that is given once at most and returns its value.
func (f flags) take(name string) (value string, given bool, err error) {
	values := f[name]
	delete(f, name)
	switch len(values) {
	case 0:
		return "", false, nil
	case 1:
		return values[0], true, nil
	}
	return "", false, usagef("the flag --%s stands there %d times", name, len(values))
}

// rest fails when there is a flag that nobody took.
func (f flags) rest(command string) error {
	if len(f) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(f))
	return usagef("%s has no flag --%s; see `seamark ctl %s --help`", command, names[0], command)
}

// switches are flags without a value: --name and --name=true are the same.
var switches = []string{"help", "no-headers", "insecure", "token-stdin", "password-stdin", "follow"}

// shorts are flags of one letter.
var shorts = map[string]string{"h": "help", "o": "output", "f": "file", "c": "context"}

// parseArgs splits a command line into words and flags. Everything after "--" is a word.
func parseArgs(args []string) (words []string, f flags, err error) {
	f = flags{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(words, args[i+1:]...), f, nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			words = append(words, arg)
			continue
		}
		name, value, has := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "--") {
			long, known := shorts[name]
			if !known {
				return nil, nil, usagef("there is no flag -%s", name)
			}
			name = long
		}
		switch {
		case has:
		case slices.Contains(switches, name):
			value = "true"
		case i+1 < len(args):
			i++
			value = args[i]
		default:
			return nil, nil, usagef("the flag --%s needs a value", name)
		}
		f[name] = append(f[name], value)
	}
	return words, f, nil
}

// parseGlobals splits a command line and takes the flags that every command has.
func (r *run) parseGlobals(args []string) (words []string, f flags, err error) {
	if words, f, err = parseArgs(args); err != nil {
		return nil, nil, err
	}
	for name, target := range map[string]*string{"context": &r.global.context, "address": &r.global.address, "token-file": &r.global.tokenFile, "output": &r.global.output} {
		if *target, _, err = f.take(name); err != nil {
			return nil, nil, err
		}
	}
	for name, target := range map[string]*bool{"help": &r.global.help, "no-headers": &r.global.noHeaders} {
		text, given, err := f.take(name)
		if err != nil {
			return nil, nil, err
		}
		if !given {
			continue
		}
		if *target, err = strconv.ParseBool(text); err != nil {
			return nil, nil, usagef("the flag --%s is true or false", name)
		}
	}
	if !slices.Contains([]string{"", "table", "json", "yaml"}, r.global.output) {
		return nil, nil, usagef("the output %q is none of table, json and yaml", r.global.output)
	}
	return words, f, nil
}
