package crud

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/seamarkhq/seamark/api/client"
)

// fault is what the words about an error need beside it.
type fault struct {
	verb, title string
	root        attr.Type // of the whole resource
	rename      map[string]string
}

// Advice is an error that says what to do, in a sentence of its own.
type Advice struct{ Summary, Detail string }

// Error implements error.
func (a *Advice) Error() string { return a.Summary + ": " + a.Detail }

// FieldFault is a fault of one attribute that the provider itself finds.
type FieldFault struct {
	Path    path.Path
	Summary string
	Detail  string
}

// Error implements error.
func (f *FieldFault) Error() string { return f.Path.String() + ": " + f.Detail }

// explain adds an error to the diagnostics: at the attributes that it is about, with the server's advice and what to quote.
func explain(diags *diag.Diagnostics, f *fault, err error) {
	if e, ok := errors.AsType[*FieldFault](err); ok {
		diags.AddAttributeError(e.Path, e.Summary, e.Detail)
		return
	}
	if e, ok := errors.AsType[*Advice](err); ok {
		diags.AddError(e.Summary, e.Detail)
		return
	}
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		diags.AddError(fmt.Sprintf("Cannot %s %s", f.verb, f.title), err.Error())
		return
	}
	summary := fmt.Sprintf("Cannot %s %s: %s", f.verb, f.title, e.Title)
	switch e.Status {
	case http.StatusUnauthorized:
		summary = "The Seamark server refuses the provider's token"
	case http.StatusPreconditionFailed:
		diags.AddError(
			fmt.Sprintf("%s was changed by somebody else", f.title),
			"It is not any more what Terraform has read, and nothing was changed. Plan again, look at what the plan shows now, and apply that."+quote(e))
		return
	}
	placed := false
	for _, field := range e.Fields {
		at, rest, ok := attributePath(f.root, renamed(field.Pointer, f.rename))
		if !ok {
			continue
		}
		about := field.Detail
		if steps := at.Steps(); len(steps) > 1 || rest != "" {
			about = at.String() + rest + ": " + about
			at = path.Empty().AtName(steps[0].String()) // Terraform shows the line of nothing deeper
		}
		diags.AddAttributeError(at, summary, about+quote(e))
		placed = true
	}
	if !placed {
		diags.AddError(summary, detail(e)+quote(e))
	}
}

// detail is the server's words, which name the faulty fields themselves where there are any.
func detail(e *client.Error) string {
	if e.Detail == "" {
		return fmt.Sprintf("%s %s was answered with the status %d.", e.Method, e.Path, e.Status)
	}
	return e.Detail
}

// quote is what a report about the error quotes.
func quote(e *client.Error) string {
	var parts []string
	if e.ID != "" {
		parts = append(parts, e.ID)
	}
	if e.RequestID != "" {
		parts = append(parts, "request "+e.RequestID)
	}
	if len(parts) == 0 {
		return ""
	}
	return "\n\n(" + strings.Join(parts, ", ") + ")"
}

// renamed puts an attribute's name in place of the longest beginning of the pointer that has another in Terraform.
func renamed(pointer string, rename map[string]string) string {
	longest, found := "", false
	for from := range rename {
		if (!found || len(from) > len(longest)) && (pointer == from || strings.HasPrefix(pointer, from+"/")) {
			longest, found = from, true
		}
	}
	if !found {
		return pointer
	}
	return rename[longest] + pointer[len(longest):]
}

// attributePath finds the attribute that a JSON pointer leads to, or the nearest around it and the rest of the pointer. It is
// false for one that is none of the resource's.
func attributePath(t attr.Type, pointer string) (at path.Path, rest string, ok bool) {
	at = path.Empty()
	if !strings.HasPrefix(pointer, "/") {
		return at, "", false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		token = unescape.Replace(token)
		rest = "/" + strings.Join(tokens[i:], "/")
		switch within := t.(type) {
		case attr.TypeWithAttributeTypes:
			next, ok := within.AttributeTypes()[token]
			if !ok {
				return at, rest, i > 0
			}
			at, t = at.AtName(token), next
		case basetypes.ListType:
			index, err := strconv.Atoi(token)
			if err != nil {
				return at, rest, true
			}
			at, t = at.AtListIndex(index), within.ElemType
		case basetypes.MapType:
			at, t = at.AtMapKey(token), within.ElemType
		default:
			return at, rest, i > 0
		}
	}
	return at, "", true
}

// Explain adds an error of something that is no Spec.
func Explain(diags *diag.Diagnostics, verb, title string, err error) {
	explain(diags, &fault{verb: verb, title: title, root: basetypes.ObjectType{}}, err)
}
