package crud

import (
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// computed returns a resource's attributes as those of a data source that only reads. What is write-only is not there.
func computed(attributes map[string]schema.Attribute) map[string]data.Attribute {
	out := make(map[string]data.Attribute, len(attributes))
	for name, a := range attributes {
		if !a.IsWriteOnly() {
			out[name] = computedOf(a)
		}
	}
	return out
}

func computedOf(a schema.Attribute) data.Attribute {
	about, text, secret := a.GetDescription(), a.GetMarkdownDescription(), a.IsSensitive()
	switch a := a.(type) {
	case schema.StringAttribute:
		return data.StringAttribute{Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.BoolAttribute:
		return data.BoolAttribute{Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.Int64Attribute:
		return data.Int64Attribute{Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.Float64Attribute:
		return data.Float64Attribute{Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.ListAttribute:
		return data.ListAttribute{ElementType: a.ElementType, Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.SetAttribute:
		return data.SetAttribute{ElementType: a.ElementType, Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.MapAttribute:
		return data.MapAttribute{ElementType: a.ElementType, Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.SingleNestedAttribute:
		return data.SingleNestedAttribute{Attributes: computed(a.Attributes), Computed: true, Sensitive: secret, Description: about, MarkdownDescription: text}
	case schema.ListNestedAttribute:
		return data.ListNestedAttribute{
			NestedObject: data.NestedAttributeObject{Attributes: computed(a.NestedObject.Attributes)},
			Computed:     true, Sensitive: secret, Description: about, MarkdownDescription: text,
		}
	}
	return nil // the framework refuses a schema with it, and every test of the schemas then fails
}

// given returns an attribute of a data source as one that its user writes: always, or as one of several.
func given(a data.Attribute, alternatives bool) data.Attribute {
	text, ok := a.(data.StringAttribute)
	if !ok {
		return a
	}
	text.Required, text.Optional, text.Computed = !alternatives, alternatives, alternatives
	return text
}
