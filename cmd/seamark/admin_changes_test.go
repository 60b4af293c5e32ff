package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestCommandsAreRecorded walks the admin commands: each is on record, or is known to read only.
func TestCommandsAreRecorded(t *testing.T) {
	var c cli
	parser, err := kong.New(&c, kong.Name("seamark"), kong.DefaultEnvars("SEAMARK"), kong.Configuration(loadYAML), kong.Vars(flagDefaults()))
	if err != nil {
		t.Fatal(err)
	}
	var reads, changes []string
	for _, leaf := range parser.Model.Leaves(true) {
		path := strings.Fields(leaf.Path())
		if len(path) < 3 || path[1] != "admin" && path[0] != "admin" {
			continue
		}
		words := slices.DeleteFunc(path, func(w string) bool { return w == "seamark" || strings.HasPrefix(w, "<") || strings.HasPrefix(w, "[") })
		if name := strings.Join(words[1:], " "); slices.Contains(readVerbs(), words[len(words)-1]) {
			reads = append(reads, name)
		} else {
			changes = append(changes, name)
		}
	}
	slices.Sort(reads)
	want := "changes list,changes verify,cluster list,dead list,dead show,tenant certificate,tenant list,token list"
	if got := strings.Join(reads, ","); got != want {
		t.Errorf("the commands %q are not on record, want %q: does a new one really change nothing?", got, want)
	}
	if len(changes) < 10 {
		t.Errorf("only %q change something", changes)
	}
}

func TestChangeOf(t *testing.T) {
	for line, want := range map[string]commandChange{
		"admin tenant create acme":                    {"tenant.create", "tenant/acme", "acme"},
		"admin tenant suspend acme":                   {"tenant.suspend", "tenant/acme", "acme"},
		"admin token revoke acme abc":                 {"token.revoke", "token/abc", "acme"},
		"admin cluster create acme prod":              {"cluster.create", "cluster/prod", "acme"},
		"admin user create ada --tenant acme":         {"user.create", "user/ada", "acme"},
		"admin user password ada --password-stdin":    {"user.password", "user/ada", ""},
		"admin --data-dir /x tenant delete acme":      {"tenant.delete", "tenant/acme", "acme"},
		"admin tenant list":                           {},
		"admin changes verify --tenant acme":          {},
		"version":                                     {},
		"admin token create acme --kind query --name": {},
	} {
		var c cli
		parser, err := kong.New(&c, kong.Name("seamark"), kong.Vars(flagDefaults()), kong.Configuration(loadYAML))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.Parse(strings.Fields(line))
		if err != nil {
			if strings.HasSuffix(line, "--name") {
				continue // a command that does not parse does nothing
			}
			t.Fatalf("%s: %v", line, err)
		}
		got, changes := changeOf(parsed)
		if changes != (want != commandChange{}) || changes && got != want {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, changes, want)
		}
	}
}
