package seamark

import (
	"slices"
	"strings"
)

// Restriction narrows a membership or an API key to some clusters, some namespaces or both. An empty list does not narrow.
// It holds for whatever is read: rows that tell no cluster or no namespace are outside of every list of them. It never
// changes after it was made, so principals share it.
type Restriction struct {
	Clusters   []string `json:"clusters,omitempty"`   // names, as in the label ClusterLabel
	Namespaces []string `json:"namespaces,omitempty"` // names, as in the label NamespaceLabel
}

// NamespaceLabel carries the namespace that data came from. Senders set it.
const NamespaceLabel = "namespace"

// The limits of a Restriction.
const (
	// maxRestrictionNames bounds each of its lists. They become part of every statement of a restricted reader.
	maxRestrictionNames = 100
	// maxRestrictionBytes is how long a name may be: a label of DNS has 63 bytes, a name of a cluster no more.
	maxRestrictionBytes = 63
)

// Validate refuses lists that are too long, repeat a name or hold what cannot be the name of a cluster or namespace.
func (r *Restriction) Validate() error {
	if r == nil {
		return nil
	}
	if err := checkNames("clusters", r.Clusters); err != nil {
		return err
	}
	return checkNames("namespaces", r.Namespaces)
}

func checkNames(of string, names []string) error {
	if len(names) > maxRestrictionNames {
		return Errorf(Invalid, "seamark-scope-invalid", "The restriction names %d %s; at most %d fit.", len(names), of, maxRestrictionNames)
	}
	for i, name := range names {
		if !isDNSLabel(name) {
			return Errorf(Invalid, "seamark-scope-invalid",
				"The restriction's %s hold %q; a name has 1 to %d lower-case letters, digits and dashes.", of, clip(name), maxRestrictionBytes)
		}
		if slices.Contains(names[:i], name) {
			return Errorf(Invalid, "seamark-scope-invalid", "The restriction's %s hold %q twice.", of, name)
		}
	}
	return nil
}

func isDNSLabel(s string) bool {
	if s == "" || len(s) > maxRestrictionBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			continue
		}
		return false
	}
	return true
}

// Narrows reports whether anything is outside of the restriction. A nil Restriction narrows nothing.
func (r *Restriction) Narrows() bool { return r != nil && len(r.Clusters)+len(r.Namespaces) > 0 }

// Allows reports whether rows of the cluster and namespace, "" where they tell none, are inside.
func (r *Restriction) Allows(cluster, namespace string) bool {
	if r == nil {
		return true
	}
	return (len(r.Clusters) == 0 || slices.Contains(r.Clusters, cluster)) &&
		(len(r.Namespaces) == 0 || slices.Contains(r.Namespaces, namespace))
}

// AllowsLabels is Allows for the labels of a series or stream.
func (r *Restriction) AllowsLabels(labels []Label) bool {
	if !r.Narrows() {
		return true
	}
	var cluster, namespace string
	for _, l := range labels {
		switch l.Name {
		case ClusterLabel:
			cluster = l.Value
		case NamespaceLabel:
			namespace = l.Value
		}
	}
	return r.Allows(cluster, namespace)
}

// Covers reports whether everything inside other is inside r, so that who is narrowed to r may give other away.
func (r *Restriction) Covers(other *Restriction) bool {
	if !r.Narrows() {
		return true
	}
	if other == nil {
		return false
	}
	return coversNames(r.Clusters, other.Clusters) && coversNames(r.Namespaces, other.Namespaces)
}

func coversNames(all, some []string) bool {
	if len(all) == 0 {
		return true
	}
	return len(some) > 0 && !slices.ContainsFunc(some, func(name string) bool { return !slices.Contains(all, name) })
}

// Intersect returns what is inside of both. Lists without a common name give an Allows that is always false, which the
// impossible name stands for.
func (r *Restriction) Intersect(other *Restriction) *Restriction {
	switch {
	case !r.Narrows():
		return other
	case !other.Narrows():
		return r
	}
	return &Restriction{Clusters: intersectNames(r.Clusters, other.Clusters), Namespaces: intersectNames(r.Namespaces, other.Namespaces)}
}

// nothing is the name of no cluster and no namespace.
const nothing = "!"

func intersectNames(a, b []string) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var both []string
	for _, name := range a {
		if slices.Contains(b, name) {
			both = append(both, name)
		}
	}
	if both == nil {
		return []string{nothing}
	}
	return both
}

// String names the restriction in messages, like `clusters a, b and namespaces c`.
func (r *Restriction) String() string {
	var parts []string
	if r != nil && len(r.Clusters) > 0 {
		parts = append(parts, "clusters "+strings.Join(r.Clusters, ", "))
	}
	if r != nil && len(r.Namespaces) > 0 {
		parts = append(parts, "namespaces "+strings.Join(r.Namespaces, ", "))
	}
	if len(parts) == 0 {
		return "the whole tenant"
	}
	return strings.Join(parts, " and ")
}

// Scope is what a request may read: a tenant, or the part of it inside a restriction. It is comparable: the scopes of one
// credential are equal for as long as the credential is not changed.
type Scope struct {
	Tenant TenantID
	Only   *Restriction // nil: all of the tenant
}

// Scope returns what the principal may read.
func (p Principal) Scope() Scope { return Scope{Tenant: p.Tenant, Only: p.Only} }

// Restricted reports whether the principal may read only a part of its tenant.
func (p Principal) Restricted() bool { return p.Only.Narrows() }
