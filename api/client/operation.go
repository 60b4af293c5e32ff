package client

// Operation describes one operation of openapi.yaml, for programs that offer all of them.
type Operation struct {
	ID      string // the operationId
	Method  string
	Path    string // with {name} for each parameter in it
	Summary string
	Tags    []string
	Params  []Param
	// Body and Answer are media types: of the request's body, and of answers that say the call was a success.
	Body, Answer []string
	BodyRequired bool
	// Fields are those of a JSON body that is an object.
	Fields []Param
}

// Param is one parameter of an Operation, or one field of its body.
type Param struct {
	Name        string
	In          string // path, query, header or body
	Type        string // string, integer, number, boolean, object or array; "" where it is one of several
	Items       string // the type of an array's members, of fields of a body
	Required    bool
	Enum        []string // the values that are taken; empty when any is
	Description string
}
