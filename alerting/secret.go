package alerting

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// secretMask stands for a secret in what is read, as in upstream's API.
const secretMask = "<secret>"

// leaf is a scalar that the schema marks as a secret, as a target, or as both.
type leaf struct {
	owner  string // path of the integration or of `global` that it belongs to; "" elsewhere
	path   string
	of     *schema
	scalar *yaml.Node
}

// globalOwner is the owner of what stands under `global`, which every receiver may inherit.
const globalOwner = "/global"

// leaves calls fn for every secret and every target. Paths use names, not positions, so that adding a receiver does not move
// the others.
func (s *schema) leaves(node *yaml.Node, fn func(leaf)) { s.visit(node, "", "", fn) }

func (s *schema) visit(node *yaml.Node, owner, path string, fn func(leaf)) {
	switch {
	case s == nil || node == nil:
	case s.secret || s.target:
		visitScalars(node, path, func(path string, scalar *yaml.Node) { fn(leaf{owner, path, s, scalar}) })
	case s.list:
		element := *s
		element.list = false
		for i, item := range node.Content {
			name := strconv.Itoa(i)
			if n := child(item, "name"); n != nil {
				name = strconv.Quote(n.Value) // quoted, so that no name can be mistaken for a path
			}
			below := path + "/" + name
			element.visit(item, below, below, fn)
		}
	case node.Kind == yaml.MappingNode:
		if path == globalOwner {
			owner = globalOwner
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			below, named := s.keys[name]
			if !named && s.any != nil {
				below, name = s.any, strconv.Quote(name)
			}
			below.visit(node.Content[i+1], owner, path+"/"+name, fn)
		}
	}
}

func visitScalars(node *yaml.Node, path string, fn func(path string, scalar *yaml.Node)) {
	if node.Kind == yaml.ScalarNode {
		fn(path, node)
	}
	for i, c := range node.Content {
		visitScalars(c, fmt.Sprintf("%s/%d", path, i), fn)
	}
}

// maskSecrets returns the configuration with `<secret>` in place of every secret and everything else as it was sent.
func maskSecrets(text string) (string, error) {
	root, err := parseConfigNode(text)
	if err != nil {
		return "", err
	}
	configSchema().leaves(root, func(l leaf) {
		if l.of.secret {
			l.scalar.SetString(secretMask)
		}
	})
	return encodeNode(root)
}

// known is what a stored configuration holds: its secrets by path, and the targets of each owner, by path, in one text.
type known struct {
	secrets map[string]string
	targets map[string]map[string]string
}

func knownOf(root *yaml.Node) known {
	k := known{map[string]string{}, map[string]map[string]string{}}
	configSchema().leaves(root, func(l leaf) {
		if l.of.secret {
			k.secrets[l.path] = l.scalar.Value
		}
		if l.of.target {
			k.aim(l.owner, l.path, l.scalar.Value)
		}
	})
	return k
}

func (k *known) aim(owner, path, value string) {
	if k.targets[owner] == nil {
		k.targets[owner] = map[string]string{}
	}
	k.targets[owner][path] = value
}

// restoreSecrets puts stored secrets back where text holds the mask. A receiver's secret is put back only when everything
// that says where it is sent, there and under `global`, is put back too or equal to what is stored, and a secret under
// `global` only when that holds of every receiver: else whoever may edit receivers could have a password that he cannot read
// sent to himself.
func restoreSecrets(text, stored string) (string, error) {
	if !strings.Contains(text, secretMask) {
		return text, nil
	}
	root, err := parseConfigNode(text)
	if err != nil {
		return "", err
	}
	was := known{}
	if stored != "" {
		old, err := parseConfigNode(stored)
		if err != nil {
			return "", err
		}
		was = knownOf(old)
	}
	now := known{map[string]string{}, map[string]map[string]string{}}
	configSchema().leaves(root, func(l leaf) {
		if !l.of.target {
			return
		}
		value := l.scalar.Value
		if old, ok := was.secrets[l.path]; ok && value == secretMask {
			value = old
		}
		now.aim(l.owner, l.path, value)
	})
	var refused error
	configSchema().leaves(root, func(l leaf) {
		if !l.of.secret || l.scalar.Value != secretMask {
			return
		}
		value, ok := was.secrets[l.path]
		if !ok || !now.staysWith(&was, l.owner) {
			refused = invalidConfig("line %d: %s holds the mask %s and no stored value may take its place; send the value itself",
				l.scalar.Line, strings.TrimPrefix(strings.ReplaceAll(l.path, "/", "."), "."), secretMask)
			return
		}
		l.scalar.SetString(value)
	})
	if refused != nil {
		return "", refused
	}
	return encodeNode(root)
}

// staysWith reports whether the owner's secrets go nowhere new.
func (k *known) staysWith(was *known, owner string) bool {
	if !maps.Equal(k.targets[globalOwner], was.targets[globalOwner]) {
		return false
	}
	if owner != globalOwner {
		return maps.Equal(k.targets[owner], was.targets[owner])
	}
	for receiver, targets := range k.targets {
		if !maps.Equal(targets, was.targets[receiver]) {
			return false
		}
	}
	return true
}

// redactor returns what takes a configuration's secrets, and the parts of its secret addresses, out of a text: a service may
// repeat what it was sent.
func redactor(root *yaml.Node) func(string) string {
	// Shorter ones stand in too many words; parts of addresses that are no token are words, too.
	const shortest, shortestPart = 5, 12
	var secrets []string
	add := func(text string, least int) {
		if len(text) >= least {
			secrets = append(secrets, text)
		}
	}
	configSchema().leaves(root, func(l leaf) {
		if !l.of.secret {
			return
		}
		add(l.scalar.Value, shortest)
		add(url.QueryEscape(l.scalar.Value), shortest)
		u, err := url.Parse(l.scalar.Value)
		if err != nil || !l.of.target {
			return
		}
		add(u.RequestURI(), shortestPart)
		for segment := range strings.SplitSeq(u.Path, "/") {
			add(segment, shortestPart)
		}
		for _, values := range u.Query() {
			for _, value := range values {
				add(value, shortestPart)
			}
		}
		if password, ok := u.User.Password(); ok {
			add(password, shortest)
		}
	})
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // a part must not spoil the whole
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range slices.Compact(secrets) {
		pairs = append(pairs, s, secretMask)
	}
	return strings.NewReplacer(pairs...).Replace
}

func encodeNode(root *yaml.Node) (string, error) {
	out, err := yaml.Marshal(root)
	if err != nil {
		return "", fmt.Errorf("encode Alertmanager configuration: %w", err)
	}
	return string(out), nil
}
