package pushgateway

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	jobLabel     = "job"
	base64Suffix = "@base64"
	pathPrefix   = "/metrics/"
	// maxKeyLabels bounds the labels of a grouping key. Every series of the group has them all, and the catalogue refuses
	// series with more than 64.
	maxKeyLabels = 32
)

// Key is a group's grouping key: the labels of the path, sorted by name, with the job among them. Values may be empty;
// such a label tells groups apart and is on no series.
type Key struct {
	Labels []seamark.Label `json:"labels"`
}

// ParsePath reads the grouping key out of a request's path in its escaped form (url.URL.EscapedPath):
// /metrics/job/<job>{/<label>/<value>}, where a name that ends in @base64 says that its value is in the URL alphabet of
// RFC 4648. The error is Invalid seamark-pushpath-malformed.
func ParsePath(escaped string) (Key, error) {
	rest, ok := strings.CutPrefix(escaped, pathPrefix)
	if !ok {
		return Key{}, badPath("it must begin with /metrics/job/<job>")
	}
	parts := strings.Split(rest, "/")
	if len(parts) == 3 && parts[2] == "" {
		parts = parts[:2] // a slash behind the job
	}
	if len(parts)%2 != 0 {
		return Key{}, badPath("behind /metrics there must be pairs of a label and its value, and %d parts are there", len(parts))
	}
	if len(parts)/2 > maxKeyLabels {
		return Key{}, badPath("it has %d labels and the limit is %d", len(parts)/2, maxKeyLabels)
	}
	var key Key
	for i := 0; i < len(parts); i += 2 {
		label, err := parsePair(parts[i], parts[i+1])
		if err != nil {
			return Key{}, err
		}
		if i == 0 && (label.Name != jobLabel || label.Value == "") {
			return Key{}, badPath("its first label must be job, with a value")
		}
		key.Labels = append(key.Labels, label)
	}
	seamark.SortLabels(key.Labels)
	for i := 1; i < len(key.Labels); i++ {
		if key.Labels[i].Name == key.Labels[i-1].Name {
			return Key{}, badPath("the label %q stands twice", key.Labels[i].Name)
		}
	}
	return key, nil
}

func parsePair(name, value string) (seamark.Label, error) {
	name, err := url.PathUnescape(name)
	if err != nil {
		return seamark.Label{}, badPath("a label's name is not percent-encoded correctly")
	}
	name, encoded := strings.CutSuffix(name, base64Suffix)
	if !isLabelName(name) {
		return seamark.Label{}, badPath("the label %.64q must match [a-zA-Z_][a-zA-Z0-9_]* and not begin with two underscores", name)
	}
	if value, err = url.PathUnescape(value); err != nil {
		return seamark.Label{}, badPath("the value of label %q is not percent-encoded correctly", name)
	}
	if encoded {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
		if err != nil {
			return seamark.Label{}, badPath("the value of label %q is not base64 in the URL alphabet", name)
		}
		value = string(raw)
	}
	if !utf8.ValidString(value) {
		return seamark.Label{}, badPath("the value of label %q is not UTF-8", name)
	}
	return seamark.Label{Name: name, Value: value}, nil
}

func isLabelName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && !strings.HasPrefix(s, "__")
}

func badPath(format string, args ...any) error {
	e := seamark.Errorf(seamark.Invalid, "seamark-pushpath-malformed", format, args...)
	e.Message = "The path names no group: " + e.Message + "."
	return e
}

// has reports whether the key has a label of that name.
func (k Key) has(name string) bool {
	return slices.ContainsFunc(k.Labels, func(l seamark.Label) bool { return l.Name == name })
}

// id identifies a group of a tenant.
func (k Key) id(cluster seamark.ClusterID) string {
	text := append([]byte(cluster), 0xff)
	return string(appendLabelKey(text, k.Labels))
}

// appendLabelKey appends labels with separators that cannot stand in UTF-8 text.
func appendLabelKey(dst []byte, labels []seamark.Label) []byte {
	for _, l := range labels {
		dst = append(append(dst, l.Name...), 0xff)
		dst = append(append(dst, l.Value...), 0xfe)
	}
	return dst
}

// Never is the time to live of a group that lives until it is deleted, whatever the tenant's default is.
const Never time.Duration = -1

// maxTTL keeps expiry times within what a clock can say.
const maxTTL = 10 * 365 * 24 * time.Hour

// ParseTTL reads a group's time to live as the request tells it: a Go duration such as 10m, never, or nothing for the
// tenant's default (0). The error is Invalid seamark-pushttl-malformed.
func ParseTTL(s string) (time.Duration, error) {
	switch s {
	case "":
		return 0, nil
	case "never", "0":
		return Never, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > maxTTL {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-pushttl-malformed",
			"The time to live %.32q is neither never nor a duration from 1s to %s, such as 90s, 10m or 24h.", s, maxTTL)
	}
	return d, nil
}
