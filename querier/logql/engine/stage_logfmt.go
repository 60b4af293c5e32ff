package engine

import (
	"strings"

	"github.com/seamarkhq/seamark/querier/logql"
)

// logfmtStage makes labels of a line's key=value pairs.
type logfmtStage struct {
	strict, keepEmpty bool
	names             nameTable
	keys              map[string][]string // extractions: labels by key; nil: all pairs
}

func newLogfmtStage(l *logql.Logfmt, wanted names) stage {
	s := &logfmtStage{strict: l.Strict, keepEmpty: l.KeepEmpty, names: newNameTable(wanted)}
	if len(l.Extractions) > 0 {
		s.keys = map[string][]string{}
		for _, x := range l.Extractions {
			s.keys[x.Key] = append(s.keys[x.Key], x.Label)
		}
	}
	return s
}

// process implements stage.
func (s *logfmtStage) process(line string, labels *lineLabels) (string, bool) {
	s.names.begin()
	for rest := line; ; {
		key, value, next, fault := nextPair(rest)
		if fault != "" && s.strict {
			labels.fail(errorLogfmt, fault)
			return line, true
		}
		if fault == "" && key == "" {
			return line, true
		}
		if fault == "" {
			s.set(key, value, labels)
		}
		rest = next
	}
}

func (s *logfmtStage) set(key, value string, labels *lineLabels) {
	if s.keys != nil {
		for _, label := range s.keys[key] {
			if s.names.wanted.has(label) {
				labels.extract(label, value)
			}
		}
		return
	}
	if value == "" && !s.keepEmpty {
		return
	}
	if k := s.names.find(key); k.wanted {
		labels.extract(k.name, value)
	}
}

// nextPair reads the next pair of s. key is empty at the end of the line; fault says what is wrong with a pair that is not
// one, and rest is then what follows it.
func nextPair(s string) (key, value, rest, fault string) {
	i := 0
	for i < len(s) && s[i] <= ' ' {
		i++
	}
	start := i
	for i < len(s) && s[i] > ' ' && s[i] != '=' && s[i] != '"' {
		i++
	}
	key = s[start:i]
	switch {
	case i == len(s) || s[i] <= ' ':
		return key, "", s[i:], ""
	case s[i] == '"':
		return "", "", afterWord(s[i:]), "a quote stands inside the key " + key
	case key == "":
		return "", "", afterWord(s[i:]), "a value has no key"
	}
	i++ // =
	if i < len(s) && s[i] == '"' {
		return quotedPair(key, s[i:])
	}
	start = i
	for i < len(s) && s[i] > ' ' {
		if s[i] == '=' || s[i] == '"' {
			return "", "", afterWord(s[i:]), "the value of " + key + " has a quote or an equals sign"
		}
		i++
	}
	return key, s[start:i], s[i:], ""
}

// quotedPair reads a value in quotes, with JSON's escapes.
func quotedPair(key, s string) (k, value, rest, fault string) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			rest = s[i+1:]
			if rest != "" && rest[0] > ' ' {
				return "", "", afterWord(rest), "text follows the quoted value of " + key
			}
			raw := s[1:i]
			if strings.IndexByte(raw, '\\') < 0 {
				return key, raw, rest, ""
			}
			value, ok := unescapeJSON(raw)
			if !ok {
				return "", "", rest, "the value of " + key + " has an unknown escape"
			}
			return key, value, rest, ""
		}
	}
	return "", "", "", "the value of " + key + " is not closed"
}

// afterWord skips to the next blank.
func afterWord(s string) string {
	for i := range len(s) {
		if s[i] <= ' ' {
			return s[i:]
		}
	}
	return ""
}
