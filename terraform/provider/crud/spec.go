// Package crud is what all resources and data sources of the provider share: Terraform's side of creating, reading, updating,
// deleting and importing over a typed Spec, versions by ETag, answers into models, and the server's faults at the attributes
// that they are about. It knows no noun of Seamark; only the package seamark imports it.
package crud

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// Spec describes one kind of thing. M is its model: a struct with a field for each attribute, whose tags are `tfsdk` with the
// attribute's name and `json` with that of the API's field ("-" where it is not one). Fields of attributes that Terraform may
// not know while it plans are types.String and the like; all others are pointers, slices, maps and structs of Go's own.
type Spec[M any] struct {
	Name    string // behind seamark_
	Summary string // what it is, one sentence
	Text    string // what to know beside it, in Markdown
	// Attributes are the resource's; those of the data source are made of them.
	Attributes map[string]schema.Attribute
	// Single says that a tenant has one; its attribute id is Name then, whatever id it is imported by.
	Single bool
	// Key are the attributes that an import id consists of, joined by a slash. The first may hold slashes itself.
	Key []string
	// Import takes an import id apart, where Key does not say how.
	Import func(id string) (map[string]string, error)
	// Lookup are the attributes by which the data source finds, exactly one of them; Key unless told.
	Lookup []string
	// Hidden are attributes that the data source does not have. Those that are write-only never are its.
	Hidden []string
	// Rename maps the beginnings of the API's JSON pointers to those of attributes, such as "/spec" to "/json".
	Rename map[string]string

	Create func(ctx context.Context, a *Access, m *M) error
	// Read fills the model; a not-found error says that the thing is gone.
	Read func(ctx context.Context, a *Access, m *M) error
	// Update changes the thing from prior to m; nil when every change makes it anew.
	Update func(ctx context.Context, a *Access, m, prior *M) error
	// Delete ends it; that it is gone already is no fault.
	Delete func(ctx context.Context, a *Access, m *M) error
	// Secrets copies what is write-only from the configuration, where alone it stands.
	Secrets func(m, config *M)
	// Find fills the model for the data source; Read unless told.
	Find func(ctx context.Context, a *Access, m *M) error
	// Check finds what is wrong before anything is planned; nil when the schema says all.
	Check []resource.ConfigValidator
}

// Kind is a Spec without its model.
type Kind interface {
	Resource() resource.Resource
	DataSource() datasource.DataSource
	// Title is the type's name, such as seamark_cluster.
	Title() string
	// KeyForm is the form of an import id, such as <namespace>/<name>.
	KeyForm() string
}

// prefix begins the names of all types.
const prefix = "seamark_"

// Title implements Kind.
func (s *Spec[M]) Title() string { return prefix + s.Name }

// KeyForm implements Kind.
func (s *Spec[M]) KeyForm() string {
	if s.Single {
		return s.Name
	}
	return "<" + strings.Join(s.Key, ">/<") + ">"
}

// Resource implements Kind.
func (s *Spec[M]) Resource() resource.Resource { return &resourceOf[M]{spec: s} }

// DataSource implements Kind.
func (s *Spec[M]) DataSource() datasource.DataSource { return &dataSourceOf[M]{spec: s} }

func (s *Spec[M]) schema() schema.Schema {
	return schema.Schema{Description: s.Summary, MarkdownDescription: strings.TrimSpace(s.Summary + "\n\n" + s.Text), Attributes: s.Attributes}
}
