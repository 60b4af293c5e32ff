package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// bill is a CycloneDX document, as far as it is used here.
type bill struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// newBill puts components in order, each once. The serial number is made from what the document says, as a random one would differ
// between two builds.
func newBill(version string, at time.Time, parts []component) (*bill, error) {
	slices.SortFunc(parts, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	parts = slices.CompactFunc(parts, func(a, b component) bool { return a.Ref == b.Ref })
	purl := "pkg:golang/github.com/seamarkhq/seamark@" + url.PathEscape(version)
	b := &bill{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata: metadata{
			Timestamp: at.UTC().Format(time.RFC3339),
			Component: component{Ref: purl, Type: "application", Name: "seamark", Version: version, PURL: purl, Licenses: []license{{"Apache-2.0"}}},
		},
		Components: parts,
	}
	all := dependency{Ref: purl}
	for i := range parts {
		all.DependsOn = append(all.DependsOn, parts[i].Ref)
	}
	b.Dependencies = []dependency{all}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // RFC 9562, version 8: of our own making
	b.SerialNumber = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	return b, nil
}

// goComponents returns the modules that are linked into a binary, and Go's standard library. A module's checksum is go.sum's, which
// is over its files' hashes and not over one file, so it is a property and not a hash.
func goComponents(info *debug.BuildInfo) []component {
	list := []component{goComponent("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, goComponent(m.Path, m.Version, m.Sum))
	}
	return list
}

func goComponent(path, version, sum string) component {
	// The specification of package URLs has Go's in lower case.
	purl := "pkg:golang/" + strings.ToLower(path) + "@" + url.PathEscape(version)
	c := component{Ref: purl, Type: "library", Name: path, Version: version, PURL: purl}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}

// npmComponents returns the packages of a lock file that are not for development alone.
func npmComponents(text []byte) ([]component, error) {
	var lock struct {
		LockfileVersion int
		Packages        map[string]struct {
			Version, Integrity, License string
			Dev, Link                   bool
		}
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, err
	}
	if lock.LockfileVersion < 2 {
		return nil, fmt.Errorf("has lockfileVersion %d; 2 or 3 list the packages", lock.LockfileVersion)
	}
	var list []component
	for path, p := range lock.Packages {
		at := strings.LastIndex(path, "node_modules/")
		if at < 0 || p.Dev || p.Link { // the project itself, and what stands beside it
			continue
		}
		name := path[at+len("node_modules/"):]
		purl := "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + url.PathEscape(p.Version)
		c := component{Ref: purl, Type: "library", Name: name, Version: p.Version, PURL: purl}
		encoded, ok := strings.CutPrefix(p.Integrity, "sha512-")
		sum, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			return nil, fmt.Errorf("%s has the integrity %q; a SHA-512 is needed", path, p.Integrity)
		}
		c.Hashes = []hash{{"SHA-512", hex.EncodeToString(sum)}}
		if p.License != "" {
			c.Licenses = []license{{p.License}}
		}
		list = append(list, c)
	}
	return list, nil
}
