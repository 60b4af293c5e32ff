package alerting

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// secretMask stands for a secret in what is read, as in upstream's API.
const secretMask = "<secret>"

// visitSecrets calls fn for every scalar that the schema marks secret, with the receiver and webhook it belongs to:
// "name/0" for the first webhook of receiver name, "" outside receivers. Paths use names, not positions, so that adding a
// receiver does not move the others.
func (s *schema) visitSecrets(node *yaml.Node, owner, path string, fn func(owner, path string, scalar *yaml.Node)) {
	switch {
	case s == nil || node == nil:
	case s.secret:
		visitScalars(node, path, func(path string, scalar *yaml.Node) { fn(owner, path, scalar) })
	case s.list:
		element := *s
		element.list = false
		for i, item := range node.Content {
			name := strconv.Itoa(i)
			if n := child(item, "name"); n != nil {
				name = strconv.Quote(n.Value) // quoted, so that no name can be mistaken for a path
			}
			below := name
			if owner != "" {
				below = owner + "/" + name
			}
			element.visitSecrets(item, below, path+"/"+name, fn)
		}
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			below := s.keys[name]
			if s.any != nil {
				below, name = s.any, strconv.Quote(name)
			}
			below.visitSecrets(node.Content[i+1], owner, path+"/"+name, fn)
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
	configSchema().visitSecrets(root, "", "", func(_, _ string, scalar *yaml.Node) {
		scalar.SetString(secretMask)
	})
	return encodeNode(root)
}

// restoreSecrets puts stored secrets back where text holds the mask. A credential is put back only beside a URL that is
// itself put back or equal to the stored one: else whoever may edit receivers could have a password that he cannot read
// sent to himself. Secrets outside receivers belong to no URL and must be repeated.
func restoreSecrets(text, stored string) (string, error) {
	if !strings.Contains(text, secretMask) {
		return text, nil
	}
	root, err := parseConfigNode(text)
	if err != nil {
		return "", err
	}
	was, urls := map[string]string{}, map[string]string{}
	if stored != "" {
		old, err := parseConfigNode(stored)
		if err != nil {
			return "", err
		}
		configSchema().visitSecrets(old, "", "", func(owner, path string, scalar *yaml.Node) {
			was[path] = scalar.Value
			if strings.HasSuffix(path, "/url") {
				urls[owner] = scalar.Value
			}
		})
	}
	same := map[string]bool{}
	configSchema().visitSecrets(root, "", "", func(owner, path string, scalar *yaml.Node) {
		if strings.HasSuffix(path, "/url") {
			known, ok := urls[owner]
			same[owner] = ok && (scalar.Value == secretMask || scalar.Value == known)
		}
	})
	var refused error
	configSchema().visitSecrets(root, "", "", func(owner, path string, scalar *yaml.Node) {
		if scalar.Value != secretMask {
			return
		}
		value, ok := was[path]
		if !ok || !same[owner] {
			refused = invalidConfig("line %d: %s holds the mask %s and no stored value may take its place; send the value itself",
				scalar.Line, strings.TrimPrefix(strings.ReplaceAll(path, "/", "."), "."), secretMask)
			return
		}
		scalar.SetString(value)
	})
	if refused != nil {
		return "", refused
	}
	return encodeNode(root)
}

func encodeNode(root *yaml.Node) (string, error) {
	out, err := yaml.Marshal(root)
	if err != nil {
		return "", fmt.Errorf("encode Alertmanager configuration: %w", err)
	}
	return string(out), nil
}
